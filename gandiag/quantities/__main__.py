"""`python -m gandiag.quantities`: prints docs/metrics.md."""

import sys

from gandiag.quantities import as_markdown

sys.stdout.write(as_markdown())
