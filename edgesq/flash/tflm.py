"""The link's firmware in a Python process, TensorFlow Lite Micro's interpreter behind it."""

import sys
from pathlib import Path

from edgesq.builds import TFLITE
from edgesq.flash.runner import Process, spawned
from edgesq.project import firmware_path
from edgesq.targets import Target

MODULE = "edgesq.flash.tflm_board"


def command(build: Path, target: Target, _tcp_port: int | None = None) -> list[str]:
    """Return the command that runs the board; `spawn` tells it of a TCP port."""
    library = firmware_path(build / "firmware", target).resolve()
    model = (build / TFLITE).resolve()
    return [sys.executable, "-m", MODULE, str(library), str(model)]


RUNNER = Process(
    name="tflm",
    command=command,
    start=spawned(command),
    is_own=lambda command: MODULE in command[1:],
)
