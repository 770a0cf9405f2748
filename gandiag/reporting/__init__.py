"""Reporting: the page, the comparison and the summaries that a person reads. No torch here."""

from gandiag.reporting.compare import compare_runs, comparison_markdown
from gandiag.reporting.comparison_page import write_comparison
from gandiag.reporting.page import write_report
from gandiag.reporting.panel import Panel
from gandiag.reporting.sections import SECTIONS
from gandiag.reporting.story import write_markdown

__all__ = [
    "SECTIONS",
    "Panel",
    "compare_runs",
    "comparison_markdown",
    "write_comparison",
    "write_markdown",
    "write_report",
]
