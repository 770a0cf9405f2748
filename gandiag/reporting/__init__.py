"""Reporting: the page, the comparison and the summaries that a person reads. No torch here."""

from gandiag.reporting.page import write_report
from gandiag.reporting.panel import Panel
from gandiag.reporting.sections import SECTIONS
from gandiag.reporting.story import write_markdown

__all__ = ["SECTIONS", "Panel", "write_markdown", "write_report"]
