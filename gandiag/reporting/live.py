"""Live: the report of a run that is still going on, served on loopback only, to GET only, from one run directory only."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from markupsafe import Markup

from gandiag.reporting.chapters import draw
from gandiag.reporting.embed import PLOTLY_FILE, plotly_js, plotly_tag, policy, source
from gandiag.reporting.page import diagnose_run, render
from gandiag.run import load_run

LOOPBACK = "127.0.0.1"
WATCHED = ("*.json", "*.jsonl", "tables/*.arrow", "samples/*.npz")


@dataclass
class Live:
    """The newest page of a run: rendered when it is asked for and the run has changed since."""

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _state: str = ""
    _page: bytes = b""

    def page(self) -> tuple[str, bytes]:
        """Returns the state of the run as a short text, and the page of that state."""
        with self._lock:
            now = state(self.path)
            if now != self._state:
                run = load_run(self.path)
                diagnosis = diagnose_run(run)
                live = Markup("<script>{}</script>").format(source("live.js"))
                page = render(
                    run,
                    diagnosis,
                    draw(run, diagnosis),
                    plotly=plotly_tag("directory"),
                    policy=policy("directory", "'self'"),
                    live=live,
                )
                self._state, self._page = now, page.encode("utf-8")
            return self._state, self._page


def state(path: Path) -> str:
    """Returns a text that changes whenever a file of the run does."""
    digest = hashlib.sha256()
    for pattern in WATCHED:
        for file in sorted(path.glob(pattern)):
            try:
                facts = file.stat()
            except OSError:
                continue  # replaced just now: the next look sees it
            digest.update(f"{file.name}:{facts.st_size}:{facts.st_mtime_ns};".encode())
    return digest.hexdigest()[:32]


def serve(path: str | os.PathLike[str], *, port: int = 0) -> ThreadingHTTPServer:
    """Returns a server of one run's live page, bound to loopback; call its `serve_forever`. Port 0 takes a free one.

    It answers GET for `/` and for plotly.js, and nothing else; requests whose Host is not its own address (a page of the
    internet that had its name point here) are refused. It only reads. Raises RunError for what is no run, OSError for a taken port.
    """
    load_run(path)
    server = ThreadingHTTPServer((LOOPBACK, port), _handler(Live(Path(path))))
    server.daemon_threads = True
    return server


def address(server: ThreadingHTTPServer) -> str:
    """Returns the URL of a server."""
    return f"http://{LOOPBACK}:{server.server_address[1]}/"


def _handler(live: Live) -> type[BaseHTTPRequestHandler]:
    script = plotly_js().encode("utf-8")
    mark = hashlib.sha256(script).hexdigest()[:32]
    answers: dict[str, Callable[[], tuple[str, str, bytes]]] = {
        "/": lambda: ("text/html; charset=utf-8", *live.page()),
        f"/{PLOTLY_FILE}": lambda: ("text/javascript; charset=utf-8", mark, script),
    }

    class Handler(BaseHTTPRequestHandler):
        """Answers one request."""

        server: ThreadingHTTPServer

        server_version, sys_version = "gandiag", ""
        timeout = 30

        def do_GET(self) -> None:
            port = self.server.server_port
            if self.headers.get("Host") not in (f"{LOOPBACK}:{port}", f"localhost:{port}"):
                self._say(421, b"This server answers to its own address only.\n")
                return
            answer = answers.get(self.path.split("?", 1)[0])
            if answer is None:
                self._say(404, b"There is one page here: /\n")
                return
            try:
                kind, tag, body = answer()
            except Exception as error:
                self._say(503, f"{type(error).__name__}: {error}\n".encode())
                return
            if self.headers.get("If-None-Match") == f'"{tag}"':
                self._head(304, {"ETag": f'"{tag}"'}, b"")
                return
            self._head(200, {"ETag": f'"{tag}"', "Content-Type": kind}, body)

        def _say(self, code: int, body: bytes) -> None:
            self._head(code, {"Content-Type": "text/plain; charset=utf-8"}, body)

        def _head(self, code: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(code)
            safe = {
                "Cache-Control": "no-cache",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
                "Referrer-Policy": "no-referrer",
                "Cross-Origin-Resource-Policy": "same-origin",
                "Content-Length": str(len(body)),
            }
            for name, value in {**headers, **safe}.items():
                self.send_header(name, value)
            try:
                self.end_headers()
                self.wfile.write(body)
            except ConnectionError:
                pass  # the browser has gone, or asked for a newer page

        def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
            """Answers every other method, and what is no HTTP, with one plain line."""
            self._say(405 if code == 501 else code, b"GET only.\n")

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: the terminal belongs to the user."""

    return Handler
