"""The firmware as a process of this computer."""

from collections.abc import Sequence
from pathlib import Path

from edgesq.flash.runner import Process, spawned
from edgesq.project import firmware_path
from edgesq.targets import Target, load_target


def command(build: Path, target: Target, _tcp_port: int | None = None) -> list[str]:
    """Return the command that runs the board; `spawn` tells it of a TCP port."""
    return [str(firmware_path(build / "firmware", target).resolve())]


def _is_own(command: Sequence[str]) -> bool:
    return Path(command[0]).name == firmware_path(Path(), load_target("host")).name


RUNNER = Process(name="host", command=command, start=spawned(command), is_own=_is_own)
