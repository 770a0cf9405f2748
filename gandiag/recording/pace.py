"""What the host's clock tells of a step: its duration, the wall time so far, samples shown."""

from __future__ import annotations

import time

from gandiag.recording.reduce import HostRow


class Pace:
    """The clock of a run, which goes on where an earlier start has stopped."""

    __slots__ = ("_before", "_began", "_first", "_last_end", "images_seen")

    def __init__(self, wall_before: float, images_seen: float) -> None:
        self.images_seen = images_seen
        self._before = wall_before
        self._began = self._last_end = time.perf_counter()
        self._first = True

    def row(
        self,
        now: float,
        shown: int | None,
        *,
        discriminator_updates: int | None,
        generator_updates: int | None,
        data_wait_seconds: float | None,
        augmentation_probability: float | None,
    ) -> HostRow:
        """Returns what is known of the step that ends now, in which the discriminator was shown so many real samples.

        The first step of a start has no duration: nobody knows when it began.
        """
        seconds = None if self._first else now - self._last_end
        self._first, self._last_end = False, now
        if shown is not None:
            self.images_seen += shown
        return HostRow(
            now - self._began + self._before,
            seconds,
            data_wait_seconds,
            shown / seconds if shown and seconds else None,
            None if shown is None else self.images_seen,
            None if discriminator_updates is None else float(discriminator_updates),
            None if generator_updates is None else float(generator_updates),
            augmentation_probability,
        )
