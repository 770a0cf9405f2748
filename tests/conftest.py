"""What every test shares: one thread, a fixed seed, and no way out to the network."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import tempfile

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # before torch is imported: two workers on two cores, and sums in one order
os.environ.setdefault("MKL_NUM_THREADS", "1")
if "GANDIAG_CACHE" not in os.environ:  # shared by this run's workers, and never the user's own
    os.environ["GANDIAG_CACHE"] = tempfile.mkdtemp(prefix="gandiag-test-cache-")
    atexit.register(shutil.rmtree, os.environ["GANDIAG_CACHE"], ignore_errors=True)
os.environ["NO_COLOR"] = "1"
os.environ["COLUMNS"] = "120"

import pytest


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that tries to reach another machine fails; loopback stays open."""
    connect = socket.socket.connect

    def only_loopback(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family in (socket.AF_INET, socket.AF_INET6) and host not in (
            "127.0.0.1",
            "localhost",
            "::1",
            "0.0.0.0",
        ):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_loopback)
