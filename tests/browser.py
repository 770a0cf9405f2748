"""Headless Chromium for tests: loads a page from a file, runs a script in it, and says what it logged and asked for."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WHY_SKIPPED = "no Chromium here (Debian's package chromium): nothing then looks at the page as a browser shows it"
OURS = ("file:", "data:", "blob:", "about:", "chrome:", "devtools:")
INSPECT = """
<script>addEventListener("load", () => setTimeout(async () => {
  const say = (found) => {
    const p = document.createElement("pre"); p.id = "inspected"; p.textContent = JSON.stringify(found); document.body.append(p);
  };
  const waiting = () => [...document.querySelectorAll(".chart")].some((box) => !box.querySelector(".main-svg"));
  for (let i = 0; i < 60 && waiting(); i++) await new Promise((done) => setTimeout(done, 100)); /* charts are drawn as they come into view */
  try { say(await (async () => { %s })()); } catch (error) { say({ error: String(error) }); }
}, 500));</script>
"""


@dataclass(frozen=True)
class Visit:
    """What happened on a page: what the script returned, what the console said, which addresses were asked for."""

    found: Any
    console: list[str]
    requests: list[str]


def visit(
    page: Path, script: str, *, dark: bool = False, width: int = 1280, height: int = 24000, before: str = ""
) -> Visit:
    """Opens a copy of a page with a script at its end; 15 virtual seconds pass."""
    shown = page.with_name(f"{page.stem}.visited.html")
    shown.write_text(
        page.read_text(encoding="utf-8").replace("</body>", before + INSPECT % script + "</body>"), encoding="utf-8"
    )
    try:
        dom, console, requests = look(shown.as_uri(), dark=dark, width=width, height=height)
    finally:
        shown.unlink()
    said = re.search(r'<pre id="inspected">(.*?)</pre>', dom, re.S)
    assert said, f"the page's script did not finish: {console}"
    found = json.loads(html.unescape(said[1]))
    assert not (isinstance(found, dict) and "error" in found), found
    return Visit(found, console, requests)


def look(
    url: str, *, dark: bool = False, width: int = 1280, height: int = 24000, virtual: bool = True
) -> tuple[str, list[str], list[str]]:
    """Opens an address; returns what the page had become after 15 virtual seconds, its console and the addresses that it asked for.

    With `virtual=False` the clock is the real one, and the page is looked at as soon as it has loaded.
    """
    assert CHROMIUM
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        command = [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--allow-file-access-from-files", "--enable-logging=stderr",
            *(["--virtual-time-budget=15000"] if virtual else []), f"--window-size={width},{height}", f"--user-data-dir={folder / 'profile'}",
            f"--log-net-log={folder / 'net.json'}", f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--dump-dom", url,
        ]  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, timeout=200, check=False, env={**os.environ, "HOME": scratch}
        )
        console = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if "CONSOLE" in line]
        return done.stdout.decode("utf-8", "replace"), console, _requests(folder / "net.json")


def _requests(log: Path) -> list[str]:
    """Returns every address that the page asked for; what the browser asks for on its own account names no origin."""
    text = log.read_text(encoding="utf-8", errors="replace")
    asked = re.findall(r'"initiator":"([^"]*)"[^\n]*?"url":"([^"]+)"', text)
    return sorted({url for initiator, url in asked if initiator != "not an origin" and not url.startswith(OURS)})


def axe() -> Path | None:
    """Returns axe-core's script where npm put it (or where GANDIAG_AXE says), None where it is not installed."""
    places = [os.environ.get("GANDIAG_AXE", ""), "node_modules/axe-core/axe.min.js", "/usr/lib/node_modules/axe-core/axe.min.js",
              "/usr/local/lib/node_modules/axe-core/axe.min.js"]  # fmt: skip
    return next((Path(p) for p in places if p and Path(p).is_file()), None)
