"""A board farm on this computer: labgrid's own coordinator and exporter, boards behind ser2net."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

PROGRAMS = Path(sys.prefix) / "labgrid" / "bin"
"""Where `make` installs labgrid: an environment of its own."""

START_S = 20.0


def need_labgrid() -> None:
    if not (PROGRAMS / "labgrid-coordinator").exists():
        pytest.skip("labgrid is not installed (`make labgrid`)")
    if shutil.which("ser2net") is None:
        pytest.skip("ser2net is not installed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Farm:
    """A coordinator with an exporter.

    Args:
        address: the coordinator's HOST:PORT.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
        self.env = {"PATH": path, "LG_COORDINATOR": address, "LG_HOSTNAME": "desk"}

    def run(self, *arguments: str, user: str = "ann") -> subprocess.CompletedProcess[str]:
        """Run labgrid-client as some user."""
        return subprocess.run(
            [PROGRAMS / "labgrid-client", *arguments],
            env={**os.environ, **self.env, "LG_USERNAME": user},
            capture_output=True,
            text=True,
            timeout=30,
        )

    def does(self, *arguments: str, user: str = "ann") -> str:
        """Run labgrid-client, which must succeed."""
        done = self.run(*arguments, user=user)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def holder(self, name: str) -> str:
        """Return who holds a place, "None" for nobody."""
        lines = self.does("-p", name, "show").splitlines()
        (holder,) = (line.split(": ")[1] for line in lines if line.startswith("  acquired: "))
        return holder


@contextmanager
def farm(folder: Path, devices: dict[str, str]) -> Iterator[Farm]:
    """Run a farm whose exporter gives away serial devices, each in a group of its own name."""
    need_labgrid()
    resources = "".join(
        f"{name}:\n  RawSerialPort:\n    port: {device}\n" for name, device in devices.items()
    )
    (folder / "exporter.yaml").write_text(resources)
    made = Farm(f"127.0.0.1:{free_port()}")
    exporter = ("labgrid-exporter", "-c", made.address, "-n", "lab", "--hostname", "127.0.0.1")
    with ExitStack() as stack:
        stack.enter_context(_program(folder, ("labgrid-coordinator", "-l", made.address)))
        _wait_until(lambda: made.run("places").returncode == 0)
        stack.enter_context(_program(folder, (*exporter, str(folder / "exporter.yaml"))))
        _wait_until(lambda: made.run("resources").stdout.count("\n") == len(devices))
        yield made


@contextmanager
def _program(folder: Path, command: Sequence[str]) -> Iterator[None]:
    with (folder / f"{command[0]}.log").open("wb") as log:
        process = subprocess.Popen(
            [PROGRAMS / command[0], *command[1:]], cwd=folder, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_S
    while not is_so():
        assert time.monotonic() < deadline, "labgrid does not start"
