"""`gandiag watch`: loopback, GET, its own Host and one run only; the page changes when the run does."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from gandiag.errors import RunError
from gandiag.reporting.live import LOOPBACK, address, serve
from gandiag.run import RunWriter


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[RunWriter]:
    with RunWriter(tmp_path / "run", {"name": "live-run", "status": "running"}) as opened:
        opened.append("every-1", np.arange(3), {"discriminator_loss": np.ones(3)})
        yield opened


@pytest.fixture
def server(writer: RunWriter) -> Iterator[ThreadingHTTPServer]:
    made = serve(writer.path)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def ask(
    server: ThreadingHTTPServer, method: str = "GET", path: str = "/", **headers: str
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection(LOOPBACK, server.server_port, timeout=30)
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    body = answer.read().decode("utf-8")
    connection.close()
    return answer.status, dict(answer.getheaders()), body


def test_the_page_is_served_on_loopback_and_may_ask_only_itself(server: ThreadingHTTPServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert address(server).startswith("http://127.0.0.1:")
    code, headers, body = ask(server)
    assert code == 200
    assert "live-run" in body
    assert "connect-src &#39;self&#39;" in body
    assert headers["X-Frame-Options"] == "DENY"
    assert ask(server, path="/plotly.min.js")[0] == 200


def test_new_points_appear_and_an_unchanged_run_is_not_sent_again(
    server: ThreadingHTTPServer, writer: RunWriter
) -> None:
    _, headers, before = ask(server)
    assert ask(server, If_None_Match=headers["ETag"])[0] == 304
    writer.append("every-1", np.arange(3, 6), {"discriminator_loss": np.full(3, 7.25)})
    code, newer, after = ask(server, If_None_Match=headers["ETag"])
    assert code == 200
    assert newer["ETag"] != headers["ETag"]
    assert "7.25" not in before
    assert "7.25" in after


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT"])
def test_any_other_method_is_refused(server: ThreadingHTTPServer, method: str) -> None:
    assert ask(server, method)[0] == 405


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost", ""])
def test_a_foreign_host_is_refused(server: ThreadingHTTPServer, host: str) -> None:
    code, _, body = ask(server, Host=host)
    assert code == 421
    assert "live-run" not in body


@pytest.mark.parametrize(
    "path",
    [
        "/run.json",
        "/../run.json",
        "/../../etc/passwd",
        "//etc/passwd",
        "/%2e%2e/run.json",
        "/tables/every-1.0000.arrow",
    ],
)
def test_no_file_is_served(server: ThreadingHTTPServer, path: str) -> None:
    assert ask(server, path=path)[0] == 404


def test_localhost_is_its_own_name_too(server: ThreadingHTTPServer) -> None:
    assert ask(server, Host=f"localhost:{server.server_port}")[0] == 200


def test_a_run_that_breaks_meanwhile_is_said_and_the_server_lives_on(
    server: ThreadingHTTPServer, writer: RunWriter
) -> None:
    whole = (writer.path / "run.json").read_text()
    (writer.path / "run.json").write_text("{")
    code, _, body = ask(server)
    assert code == 503
    assert "run.json" in body
    (writer.path / "run.json").write_text(whole)
    assert ask(server)[0] == 200


def test_what_is_no_run_is_not_served(tmp_path: Path) -> None:
    with pytest.raises(RunError):
        serve(tmp_path)
