"""What is known of a flashed board, kept in `BUILD/board.json` or `BUILD/line.json`."""

from dataclasses import dataclass
from pathlib import Path

from edgesq.files import read_json, write_whole
from edgesq.records import json_text, made

_LINE = "line.json"


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

    def __post_init__(self) -> None:
        if "\0" in self.port:
            raise ValueError("key 'port': holds a zero byte")


@dataclass(frozen=True)
class Line:
    """Where a board answers that another build system's program has programmed.

    Attributes:
        port: serial device.
        board: what that system calls the board.
    """

    port: str
    board: str


def write_line(build: Path, line: Line) -> None:
    """Write `line` to `BUILD/line.json`, whole or not at all."""
    write_whole(build / _LINE, json_text(line))


def read_line(build: Path) -> Line | None:
    """Return the line that `BUILD/line.json` names, None where there is none to read."""
    try:
        return made(Line, read_json(build / _LINE))
    except (OSError, ValueError):
        return None


def remove_line(build: Path) -> None:
    """Remove `BUILD/line.json`, if it is there."""
    (build / _LINE).unlink(missing_ok=True)


def write_record(build: Path, board: Board) -> None:
    """Write `board` to `BUILD/board.json`, whole or not at all."""
    write_whole(_path(build), json_text(board))


def read_record(build: Path) -> Board | None:
    """Return the board that `BUILD/board.json` names, None where there is none to read."""
    try:
        return made(Board, read_json(_path(build)))
    except (OSError, ValueError):
        return None


def remove_record(build: Path) -> None:
    """Remove `BUILD/board.json`, if it is there."""
    _path(build).unlink(missing_ok=True)


def _path(build: Path) -> Path:
    return build / "board.json"
