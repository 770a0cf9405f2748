"""What the page holds beside its words: JSON that cannot end its element, plotly.js, the security policy, and whole files."""

from __future__ import annotations

import json
import math
import os
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from markupsafe import Markup, escape

from gandiag.reporting import numbers
from gandiag.reporting.decimate import typed
from gandiag.reporting.facts import check_title

PlotlyJs = Literal["inline", "directory"]
PLOTLY_FILE = "plotly.min.js"
CONFIG = {
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "displaylogo": False,
    "responsive": True,
    "displayModeBar": "hover",
    "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d", "sendDataToCloud"],
}
# A page that was opened from a file may load plotly.js from beside it; nothing else may be loaded from anywhere, and nothing sent.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' blob:{script}; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src {connect}; base-uri 'none'; form-action 'none'"
)
_FOLDER = Path(__file__).parent


def jsonable(value: Any) -> Any:
    """Returns a value as JSON has it: NaN and infinities as null, arrays as plotly's typed arrays."""
    if isinstance(value, dict):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(v) for v in value]
    if isinstance(value, np.ndarray):
        return jsonable(typed(value))
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def embedded(value: Any) -> str:
    """Returns JSON that may stand inside a script element: nothing in it can end the element."""
    dumped = json.dumps(jsonable(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return (
        dumped.replace("&", "\\u0026")
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


@cache
def plotly_js() -> str:
    """Returns plotly.js as the installed plotly carries it."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def plotly_tag(plotlyjs: PlotlyJs) -> Markup:
    """Returns the script element that brings plotly.js."""
    if plotlyjs == "directory":
        return Markup('<script src="{}"></script>').format(PLOTLY_FILE)
    return Markup("<script>") + Markup(plotly_js()) + Markup("</script>")


def policy(plotlyjs: PlotlyJs, connect: str = "'none'") -> str:
    """Returns the content security policy of the page."""
    return POLICY.format(script=" 'self' file:" if plotlyjs == "directory" else "", connect=connect)


def share_plotly(folder: Path) -> None:
    shared = folder / PLOTLY_FILE
    if not shared.exists() or shared.read_text(encoding="utf-8") != plotly_js():
        replace(shared, plotly_js())


def replace(file: Path, content: str) -> None:
    """Writes a file in one piece: a reader never sees half a page."""
    scratch = file.with_name(file.name + ".part")
    scratch.write_text(content, encoding="utf-8")
    os.replace(scratch, file)


def environment() -> Any:
    """Returns jinja2 with autoescape: whatever a run holds is text."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters |= {"number": numbers.number, "title_of": check_title, "coded": coded}
    return made


def coded(text: str) -> Markup:
    """Returns text in which what stands between backticks is code; all else is text as it is."""
    parts = [
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(text.split("`"))
    ]
    return Markup("").join(parts)


@cache
def source(name: str) -> Markup:
    """Returns one of the page's own files (CSS, JavaScript), to be put into it as it is."""
    return Markup((_FOLDER / name).read_text(encoding="utf-8"))
