"""Reporting: the page, the comparison and the summaries that a person reads. No torch here."""

from gandiag.reporting.page import write_report
from gandiag.reporting.panel import Panel
from gandiag.reporting.sections import SECTIONS

__all__ = ["SECTIONS", "Panel", "write_report"]
