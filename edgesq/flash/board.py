"""What is known of a flashed board, kept in `BUILD/board.json`."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Board:
    """A board that runs the firmware of a BUILD folder.

    Attributes:
        port: serial device.
        pid: process of an emulated board.
        target: name of the target it was flashed as.
        started: the process' start time in /proc, which tells it from a later one with its pid.
    """

    port: str
    pid: int
    target: str
    started: int


def write_record(build: Path, board: Board) -> None:
    """Write `board` to `BUILD/board.json`, whole or not at all."""
    path = _path(build)
    draft = path.with_suffix(f".json.{os.getpid()}")
    draft.write_text(json.dumps(asdict(board), indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


def read_record(build: Path) -> Board | None:
    """Return the board that `BUILD/board.json` names, None where there is none to read."""
    try:
        fields = json.loads(_path(build).read_text(encoding="utf-8"))
        return Board(
            str(fields["port"]),
            int(fields["pid"]),
            str(fields["target"]),
            int(fields["started"]),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def remove_record(build: Path) -> None:
    """Remove `BUILD/board.json`, if it is there."""
    _path(build).unlink(missing_ok=True)


def _path(build: Path) -> Path:
    return build / "board.json"
