"""What a recording could not tell, in sentences for run.json, each said once."""

from __future__ import annotations

from collections.abc import Sequence

from gandiag.recording.writing import WriterThread


class Untold:
    """The sentences so far, and whether run.json lacks the last of them."""

    def __init__(self, before: Sequence[str]) -> None:
        self.news = False
        self._sentences = {sentence: sentence for sentence in before}

    def say(self, key: str, sentence: str) -> None:
        """Notes a sentence; one of each key, and none twice."""
        if key not in self._sentences and sentence not in self._sentences.values():
            self._sentences[key] = sentence
            self.news = True

    def take_back(self, key: str) -> None:
        """Forgets the sentence of a key, which no longer holds."""
        self._sentences.pop(key, None)
        self.news = True

    def write(self, thread: WriterThread) -> None:
        """Has run.json say what it does not say yet."""
        if self.news:
            self.news = False
            told = list(self._sentences.values())
            thread.put(lambda: thread.update_about({"could_not_tell": told}))
