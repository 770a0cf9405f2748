"""Pictures: the samples of a run through time, as PNG grids or, for points in the plane, as SVG; both need no JavaScript."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from markupsafe import Markup

from gandiag.errors import NotRecorded, RunError
from gandiag.reporting.decision_field import ABSENT, Field, as_pixels, read_field
from gandiag.reporting.numbers import number
from gandiag.reporting.sketched import Sketched, sketched
from gandiag.run import Run

FRAMES = 24
TILES = 64  # an 8 x 8 grid
PICTURE_BYTES = 900_000  # of PNG in a page: what is left of 3 MB beside the charts
NEIGHBOURS = 8
POINTS = 1000
GRID_PIXELS = 640
MISSING = "No samples were kept. To have them: `recorder.record_samples(batch)`; `gandiag run` does it by itself."


@dataclass(frozen=True)
class Frame:
    """One picture: its step and what the browser shows (an <img> or an <svg>), with its description as text."""

    step: int
    markup: Markup
    words: str


@dataclass(frozen=True)
class Gallery:
    """Samples of a run: fakes by step, reals beside them, and for images the nearest kept reals of some of the last fakes."""

    frames: tuple[Frame, ...] = ()
    real: Frame | None = None
    nearest: Frame | None = None
    missing: str = ""
    kind: str = "images"
    note: str = ""  # what the pictures lack


def gallery(run: Run) -> Gallery:
    """Collects the samples of a run; what cannot be read or shown is said in `missing`."""
    kept = run.sample_steps("fake")
    if not kept:
        found = sketched(run)
        return Gallery(missing=MISSING) if found is None else _sketches(found, run)
    kept = [kept[i] for i in np.unique(np.linspace(0, len(kept) - 1, FRAMES).astype(int))]
    fakes, refused = _readable(run, kept, "fake")
    reals, _ = _readable(run, run.sample_steps("real")[-1:], "real")
    if not fakes:
        return Gallery(missing=refused)
    kind = "images" if "images" in list(fakes.values())[-1] else "points"
    batches = {step: batch[kind] for step, batch in fakes.items() if kind in batch}
    real = next((batch[kind] for batch in reals.values() if kind in batch), None)
    if kind == "images":
        return _images(batches, real)
    fields = {step: field for step, batch in fakes.items() if (field := read_field(batch, run.about)) is not None}
    return _points(batches, real, run.about.get("data"), fields)


def _readable(run: Run, steps: list[int], kind: str) -> tuple[dict[int, dict[str, np.ndarray]], str]:
    """Returns the batches that hold images (n, h, w, c) uint8 or points (n, 2 or more), and what was wrong with the last other one."""
    found, refused = {}, ""
    for step in steps:
        try:
            batch = run.samples(step, kind)
        except (NotRecorded, RunError) as error:
            refused = f"{error}."
            continue
        images, points = batch.get("images"), batch.get("points")
        fine_images = images is not None and images.ndim == 4 and images.dtype == np.uint8 and images.size > 0
        if fine_images or (
            points is not None
            and points.ndim == 2
            and points.shape[1] >= 2
            and len(points) > 0
            and points.dtype.kind == "f"
        ):
            found[step] = batch
        else:
            refused = f"The samples of step {number(step)} hold neither images (n, h, w, c) uint8 nor points (n, 2)."
    return found, refused


# ------------------------------------------------------------------------------------------------------------------ images


def _images(fakes: dict[int, np.ndarray], real: np.ndarray | None) -> Gallery:
    steps = list(fakes)
    tiles = min(TILES, *(len(b) for b in fakes.values()))
    encoded = {s: png(montage(fakes[s][:tiles])) for s in steps}
    while len(steps) > 2 and sum(len(encoded[s]) for s in steps) > PICTURE_BYTES:
        steps = [s for i, s in enumerate(steps) if i % 2 == 0 or i == len(steps) - 1]
    frames = tuple(
        Frame(
            s,
            _image(encoded[s], f"{tiles} generated samples at step {number(s)}", _fine(fakes[s])),
            f"{tiles} fakes at step {number(s)}",
        )
        for s in steps
    )
    if real is None or not len(real):
        return Gallery(frames)
    count = min(tiles, len(real))
    beside = Frame(0, _image(png(montage(real[:count])), f"{count} real samples", _fine(real)), f"{count} reals")
    return Gallery(frames, beside, _nearest(fakes[steps[-1]], real))


def _nearest(fakes: np.ndarray, reals: np.ndarray) -> Frame | None:
    """Pairs some fakes with their nearest kept reals by Euclidean distance of the pixels."""
    if fakes.shape[1:] != reals.shape[1:] or len(reals) < 2:
        return None
    chosen = fakes[:NEIGHBOURS]
    flat = reals.reshape(len(reals), -1).astype(np.float32)
    nearest = [int(np.argmin(((flat - f.reshape(1, -1).astype(np.float32)) ** 2).sum(axis=1))) for f in chosen]
    rows = np.concatenate([chosen, reals[nearest]])
    words = f"{len(chosen)} of the last fakes (above) and, below each, the nearest of the {len(reals)} reals that were kept, by pixels"
    return Frame(0, _image(png(montage(rows, columns=len(chosen))), words, _fine(fakes)), words)


def montage(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Lays images (n, h, w, c) uint8 out in a grid with a gap of one pixel (or more, for large ones); returns (H, W, c) uint8."""
    n, h, w, c = images.shape
    columns = columns or int(np.ceil(np.sqrt(n)))
    rows = -(-n // columns)
    shrink = max(1, (max(h * rows, w * columns) + GRID_PIXELS - 1) // GRID_PIXELS)
    images = images[:, ::shrink, ::shrink]
    if max(h, w) <= 16:
        images = images.repeat(4, axis=1).repeat(4, axis=2)  # so that the gap is thin beside small pictures
    n, h, w, c = images.shape
    gap = max(1, w // 16)
    canvas = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap, c), 128, dtype=np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * (h + gap), i % columns * (w + gap)
        canvas[top : top + h, left : left + w] = image
    return canvas


def png(image: np.ndarray) -> bytes:
    """Encodes (h, w, c) uint8 with c of 1, 3 or 4 as PNG; of other numbers of channels the first one is shown."""
    from PIL import Image

    picture = image if image.shape[2] in (3, 4) else image[:, :, 0]
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(out, "PNG", optimize=True)
    return out.getvalue()


def _image(data: bytes, words: str, fine: bool) -> Markup:
    source = "data:image/png;base64," + base64.b64encode(data).decode("ascii")
    return Markup('<img class="{}" src="{}" alt="{}">').format("fine" if fine else "pixels", source, words)


def _fine(images: np.ndarray) -> bool:
    return max(images.shape[1:3]) > 64


# ------------------------------------------------------------------------------------------------------------------ points


def _points(
    fakes: dict[int, np.ndarray], real: np.ndarray | None, data: Any, fields: dict[int, Field], when: str = "at step"
) -> Gallery:
    modes, sd = _mixture(data)
    centre, half = _window(modes, real, list(fakes.values())[-1], sd)
    draw = _Plane(centre, half)
    ground = draw.circles(modes, max(3 * sd, 0.02 * half)) + (
        draw.dots(real[:POINTS], "real") if real is not None else Markup()
    )
    frames = tuple(
        _frame(f"{when} {number(step)}", step, batch[:POINTS, :2], draw, ground, len(modes), fields.get(step))
        for step, batch in fakes.items()
    )
    beside = None
    if real is not None and len(real):
        words = f"{min(len(real), POINTS)} real samples" + (f" over the {len(modes)} modes" if len(modes) else "")
        beside = Frame(0, draw.picture(ground, words), words)
    return Gallery(frames, beside, kind="points", note="" if fields else ABSENT)


def _sketches(found: Sketched, run: Run) -> Gallery:
    whole = _points(found.fakes, found.real, run.about.get("data") if found.as_they_are else None, {}, "up to step")
    return replace(whole, note=f"{found.words}. To keep whole batches: `recorder.record_samples(batch)`.")


def _mixture(data: Any) -> tuple[np.ndarray, float]:
    """Returns the modes (m, 2) and their standard deviation as run.json gives them; none where it does not."""
    data = data if isinstance(data, dict) else {}
    try:
        modes = np.asarray(data.get("modes") or np.empty((0, 2)), dtype=np.float64)
        sd = float(data.get("mode_sd") or 0)
    except (TypeError, ValueError):
        return np.empty((0, 2)), 0.0
    return (
        (modes, sd) if modes.ndim == 2 and modes.shape[1] == 2 and np.isfinite(modes).all() else (np.empty((0, 2)), 0.0)
    )


def _frame(
    when: str, step: int, batch: np.ndarray, draw: _Plane, ground: Markup, modes: int, field: Field | None
) -> Frame:
    inside = draw.inside(batch)
    words = f"{len(batch)} generated samples {when}" + (f" over the {modes} modes" if modes else "")
    if not inside.all():
        words += f"; {int((~inside).sum())} lie outside this window"
    if field is not None:
        words += f"; {field.words}"
        ground = draw.image(png(as_pixels(field)), field.extent) + ground
    return Frame(step, draw.picture(ground + draw.dots(batch[inside], "fake"), words), words)


def _window(modes: np.ndarray, real: np.ndarray | None, fakes: np.ndarray, sd: float) -> tuple[np.ndarray, float]:
    """Chooses the square that shows the data; fakes that have run away do not shrink it."""
    seen = [a for a in (modes, real) if a is not None and len(a)] or [fakes]
    points = np.concatenate([a[:, :2] for a in seen]).astype(np.float64)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return np.zeros(2), 1.0
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2, float(max((high - low).max() / 2 * 1.35, 4 * sd, 1e-6))


@dataclass(frozen=True)
class _Plane:
    """A square of the plane as the 1000 x 1000 units of an SVG."""

    centre: np.ndarray
    half: float

    def at(self, points: np.ndarray) -> np.ndarray:
        units = (np.asarray(points, dtype=np.float64)[:, :2] - self.centre) / self.half * np.array([500, -500]) + 500
        return np.rint(units).astype(np.int64)

    def inside(self, points: np.ndarray) -> np.ndarray:
        return (np.abs(points[:, :2].astype(np.float64) - self.centre) <= self.half).all(axis=1)

    def dots(self, points: np.ndarray, name: str) -> Markup:
        way = "".join(f"M{x} {y}h0" for x, y in self.at(points[self.inside(points)]).tolist())
        return Markup('<path class="{}" d="{}"/>').format(name, way)

    def circles(self, centres: np.ndarray, radius: float) -> Markup:
        size = max(4, round(radius / self.half * 500))
        return Markup().join(
            Markup('<circle class="mode" cx="{}" cy="{}" r="{}"/>').format(x, y, size)
            for x, y in self.at(centres).tolist()
        )

    def image(self, data: bytes, extent: tuple[float, float, float, float]) -> Markup:
        (left, bottom), (right, top) = self.at(np.array([extent[::2], extent[1::2]])).tolist()
        source = "data:image/png;base64," + base64.b64encode(data).decode("ascii")
        return Markup(
            '<image class="field" href="{}" x="{}" y="{}" width="{}" height="{}" preserveAspectRatio="none"/>'
        ).format(source, left, top, right - left, bottom - top)

    def picture(self, inside: Markup, words: str) -> Markup:
        return Markup('<svg class="plane" viewBox="0 0 1000 1000" role="img" aria-label="{}">{}</svg>').format(
            words, inside
        )
