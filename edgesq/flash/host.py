"""The firmware as a process of this computer."""

from pathlib import Path

from edgesq.targets import Target


def firmware(build: Path) -> Path:
    """Return the program that the compiler made."""
    return build / "firmware" / "build" / "edgesq"


def command(build: Path, target: Target) -> list[str]:  # noqa: ARG001 - as every runner
    """Return the command that runs the board."""
    return [str(firmware(build).resolve())]
