"""A study in PostgreSQL: with a password that is nowhere written, and a server that goes away."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("psycopg", reason="psycopg, the driver of PostgreSQL, is not installed")

from edgesq.errors import EdgesqError
from edgesq.search.records import Outcome
from edgesq.search.store import Store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("initdb"), reason="PostgreSQL is not installed"),
]

_OWNER = "postgres" if os.getuid() == 0 else None
"""PostgreSQL does not run as root."""


@dataclass
class Server:
    """One that listens at a socket in its folder."""

    folder: Path
    process: "subprocess.Popen[bytes] | None" = None

    def url(self, password: str) -> str:
        return f"postgresql+psycopg://owner:{password}@/postgres?host={self.folder}"

    def start(self) -> None:
        where = str(self.folder)
        command = ["postgres", "-D", f"{where}/data", "-k", where, "-F"]
        self.process = subprocess.Popen(
            [*command, "-c", "listen_addresses="], user=_OWNER, stderr=subprocess.DEVNULL
        )
        ready = ["pg_isready", "-h", where, "-t", "60"]
        for _ in range(600):
            if not subprocess.run(ready, stdout=subprocess.DEVNULL, check=False).returncode:
                return
            assert self.process.poll() is None
            try:
                self.process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="edgesq-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "password").write_text("secret")
        for path in (folder, folder / "password"):
            if _OWNER:
                shutil.chown(path, _OWNER)
        secret = ("-A", "scram-sha-256", "--pwfile", folder / "password")
        subprocess.run(
            ["initdb", "-D", folder / "data", "-U", "owner", "-N", *secret],
            user=_OWNER,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        made = Server(folder)
        made.start()
        yield made
        made.stop()


def test_a_study_in_postgresql(server: Server) -> None:
    url = server.url("secret")
    store = Store(url, "edgesq some", 1, resume=False)
    trial = store.ask()
    store.keep(trial, {"width": trial.suggest_int("width", 1, 9)})
    row = store.tell(trial, Outcome("failed", why="none"))
    store.ask()
    again = Store(url, "edgesq some", 1, resume=True)
    assert again.rows() == [row]
    assert [one.number for one in again.unfinished()] == [1]
    with pytest.raises(EdgesqError, match="holds another study"):
        Store(url, "edgesq some", 1, resume=False)
    with pytest.raises(EdgesqError, match=r"cannot be used as a storage: .*password") as raised:
        Store(server.url("sesame"), "edgesq some", 1, resume=True)
    assert "sesame" not in str(raised.value)
    server.stop()
    with pytest.raises(EdgesqError, match="the storage failed") as raised:
        again.ask()
    assert "secret" not in str(raised.value)
