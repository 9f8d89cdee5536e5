"""The firmware as a process of this computer."""

from pathlib import Path

from edgesq.project import firmware_path
from edgesq.targets import Target


def command(build: Path, target: Target) -> list[str]:
    """Return the command that runs the board."""
    return [str(firmware_path(build / "firmware", target).resolve())]
