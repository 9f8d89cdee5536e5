"""Arduino: a sketch, or the folder that arduino-cli built it in, uploaded by arduino-cli.

Source: Arduino CLI 1.5, "Sketch project file" for sketch.yaml; internal/arduino/builder/
build_options_manager.go for build.options.json; commands/service_upload.go for what it says.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from edgesq.errors import EdgesqError, ToolError
from edgesq.files import read_json, read_text
from edgesq.flash.foreign import Programming, System, Wish
from edgesq.flash.runner import Programmer
from edgesq.flash.steps import Failure, Step

NAME = "Arduino"
PROGRAM = "arduino-cli"
BUILT, SETTINGS = "build.options.json", "sketch.yaml"

_ANY_BOARD = "Arduino board"
_MAINS = (".ino", ".pde")
_FQBN = re.compile(r"[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+){2}(:[\w.,=+ -]+)?")
"""Fully qualified board name: VENDOR:ARCHITECTURE:BOARD, and options of the board's menu."""
_COMMENT = re.compile(r"(?:^|[ \t])#.*")
"""In YAML, behind a value."""


@dataclass(frozen=True)
class Upload:
    """What arduino-cli is told.

    Attributes:
        words: that say what to upload and where.
        options: the user's own, which overrule those.
    """

    words: tuple[str, ...]
    options: tuple[str, ...]


def is_sketch(folder: Path) -> bool:
    """Return whether a folder is a sketch, or one that arduino-cli built in."""
    return (folder / BUILT).is_file() or _is_source(folder)


def _is_source(folder: Path) -> bool:
    name = folder.resolve().name
    return any((folder / f"{name}{suffix}").is_file() for suffix in _MAINS)


def read(folder: Path, wish: Wish) -> Programming[Upload]:
    """Return how a sketch is uploaded; what it does not say, arduino-cli finds.

    Args:
        folder: the sketch's, or the one it was built in.
        wish: its probe is the port.

    Raises:
        EdgesqError: what was built cannot be read, or not as wished.
        ToolError: nothing is built.
    """
    wish.check(NAME, folder, (PROGRAM,), options=True)
    is_built = (folder / BUILT).is_file()
    fqbn, source = _built(folder) if is_built else (None, folder)
    settings = _settings(source / SETTINGS)
    what = ("--input-dir", str(folder), "--fqbn", str(fqbn)) if is_built else (str(folder),)
    port = wish.value("--port", "-p") or wish.probe or settings.get("default_port", "")
    return Programming(
        board=fqbn or settings.get("default_fqbn", _ANY_BOARD),
        programmer=RUNNER,
        work=Upload(what + (("--port", wish.probe) if wish.probe else ()), wish.options),
        ports=(port,) if port.startswith("/") else None,
        sources=(source,),
    )


def _built(folder: Path) -> tuple[str, Path]:
    """Return for which board a folder was built, and from which sketch.

    Raises:
        EdgesqError: it does not say so.
        ToolError: the compiler did not come to its end.
    """
    path = folder / BUILT
    try:
        table = read_json(path)
        fqbn, source = table["fqbn"], Path(table["sketchLocation"])
        if not _FQBN.fullmatch(fqbn):
            raise ValueError(f"no board: {fqbn!r}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = f"`{PROGRAM} compile --build-path {folder}` writes it"
        raise EdgesqError(
            f"does not say what was built: {error!r}", where=str(path), hint=hint
        ) from error
    if not any(path.is_file() and path.stat().st_size for path in folder.glob("*.ino.*")):
        hint = f"`{PROGRAM} compile --build-path {folder}` first"
        raise ToolError("is not built", where=str(folder), hint=hint)
    return fqbn, source


def _settings(path: Path) -> dict[str, str]:
    """Return what a sketch.yaml says at its top, where arduino-cli too looks line by line."""
    try:
        text = read_text(path)
    except (OSError, ValueError):  # ValueError: a zero byte in the path
        return {}
    lines = re.finditer(r"^(\w+):[ \t]+(.*)$", text, re.M)
    return {line[1]: _COMMENT.sub("", line[2]).strip(" \t\"'") for line in lines}


def steps(upload: Upload) -> list[Step]:
    """Return the one command: it resets the board, writes, and starts the sketch."""
    return [Step((PROGRAM, "upload", *upload.words, *upload.options))]


RUNNER = Programmer[Upload](
    name=PROGRAM,
    program=PROGRAM,
    get="arduino.github.io/arduino-cli says how to install it",
    failures=(
        Failure(
            r"Missing FQBN",
            "the sketch does not say for which board it is",
            "behind --: --fqbn VENDOR:ARCHITECTURE:BOARD; or `arduino-cli board attach`",
            is_board=False,
        ),
        Failure(
            r"Platform '\S+' not found|Error loading hardware platform|Unknown FQBN|Invalid FQBN",
            "arduino-cli does not know the board",
            "`arduino-cli core install` its core; `arduino-cli board listall` names boards",
            is_board=False,
        ),
        Failure(
            r"Compiled sketch not found|build artifacts?\b|binary file not found",
            "the sketch is not compiled for this board",
            "`arduino-cli compile` first, with the same --fqbn",
            is_board=False,
        ),
        Failure(
            r"no upload port provided|Missing port|port not found",
            "no board found",
            "plug it in, or name its port: --probe /dev/ttyACM0",
        ),
        Failure(
            r"Permission denied",
            "no permission to open the port",
            "add yourself to the group dialout",
        ),
        Failure(
            r"programmer is required|Missing programmer|Programmer '\S+' not found",
            "the board is programmed by a programmer, and none is named",
            "behind --: --programmer NAME",
            is_board=False,
        ),
        Failure(
            r"no valid sketch found|sketch path is not valid|main file missing",
            "the sketch has not the form that arduino-cli wants",
            "its main file is called as its folder",
            is_board=False,
        ),
    ),
    is_compared=False,
    steps=steps,
)

SYSTEM = System(name=NAME, is_build=is_sketch, read=read, programmers=(RUNNER,))
