"""What to do after an export: flash it, or build its verifying example by another system."""

from dataclasses import dataclass
from pathlib import Path

from edgesq.choices import Layout
from edgesq.cli import terminal
from edgesq.targets import Target

_LIBRARY, _PICO_BOARD = "LIBRARY", "PICO_BOARD=BOARD"


@dataclass(frozen=True)
class _Steps:
    """How an example of a layout comes onto a board; words that begin with LIBRARY are paths.

    Attributes:
        build: commands of the system, or what else is to be done; what only the user knows is in
            capitals.
        folder: that `edgesq flash` is given then.
    """

    build: tuple[str, ...]
    folder: str


_OF = {
    Layout.ZEPHYR: _Steps(
        ("west build --board BOARD --build-dir LIBRARY/build LIBRARY/examples/verify",),
        "LIBRARY/build",
    ),
    Layout.ESP_IDF: _Steps(
        ("idf.py -C LIBRARY/examples/verify set-target CHIP build",), "LIBRARY/examples/verify"
    ),
    Layout.PLATFORMIO: _Steps(
        ("put your board into LIBRARY/examples/verify/platformio.ini",), "LIBRARY/examples/verify"
    ),
    Layout.PICO_SDK: _Steps(
        (
            "cmake -S LIBRARY/examples/verify -B LIBRARY/build -DPICO_BOARD=BOARD",
            "cmake --build LIBRARY/build",
        ),
        "LIBRARY/build",
    ),
}


def next_steps(layout: Layout, library: Path, out: Path, board: Target) -> tuple[str, ...]:
    """Return the commands to run next, or words where what to run is not known.

    Args:
        layout: what was asked for.
        library: where that is.
        out: the build folder.
        board: the target.
    """
    steps = _OF.get(layout)
    if steps is not None:
        folder = _path(steps.folder, library)
        named = (command.replace(_PICO_BOARD, _pico_board(board)) for command in steps.build)
        built = (terminal.shell(*_words(command, library)) for command in named)
        return (*built, terminal.shell("edgesq", "flash", "--build", folder))
    if board.is_library:
        verify = terminal.on_build("verify", out, "--port", "PORT")
        return (f"build and flash its verify example, then {verify}",)
    return (terminal.on_build("flash", out),)


def _pico_board(board: Target) -> str:
    """Return the setting: targets of this family have the SDK's own names."""
    return f"PICO_BOARD={board.name}" if board.port_family == "rp2" else _PICO_BOARD


def _words(command: str, library: Path) -> list[str]:
    return [_path(word, library) for word in command.split()]


def _path(word: str, library: Path) -> str:
    return str(library) + word.removeprefix(_LIBRARY) if word.startswith(_LIBRARY) else word
