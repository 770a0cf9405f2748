"""Markdown: text that is shown as it is, and tables of it."""

from __future__ import annotations

from typing import Any


def escape(text: Any) -> str:
    """Returns text that Markdown shows as it is, on one line."""
    words = " ".join(str(text).split())
    for mark in "\\`*_[]<>|#":
        words = words.replace(mark, "&lt;" if mark == "<" else "&gt;" if mark == ">" else "\\" + mark)
    return words


def table(head: list[str], rows: list[list[str]]) -> str:
    """Returns a Markdown table of escaped cells."""
    lines = [[escape(cell) for cell in head], ["---"] * len(head), *([escape(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
