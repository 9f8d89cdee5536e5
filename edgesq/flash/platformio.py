"""PlatformIO: a project, built where its sources changed and uploaded by `pio run`.

Source: PlatformIO Core 6.2, platformio/project/config.py for platformio.ini, platformio/run/cli.py
and platformio/builder/tools/pioupload.py for what it says.
"""

import configparser
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from edgesq.errors import EdgesqError
from edgesq.files import read_bytes
from edgesq.flash.foreign import Programming, System, Wish
from edgesq.flash.runner import Programmer
from edgesq.flash.steps import Failure, Step

NAME = "PlatformIO"
CONFIGURATION = "platformio.ini"
PROGRAMS = ("pio", "platformio")

_ENV = "env:"
_BASE = "env"


@dataclass(frozen=True)
class Run:
    """What pio is told.

    Attributes:
        folder: the project's.
        words: that say where to.
        options: the user's own.
    """

    folder: Path
    words: tuple[str, ...]
    options: tuple[str, ...]


def is_project(folder: Path) -> bool:
    """Return whether a folder is a project's."""
    return (folder / CONFIGURATION).is_file()


def read(folder: Path, wish: Wish) -> Programming[Run]:
    """Return how a project is uploaded; what it does not say, pio finds.

    Args:
        folder: the project's.
        wish: its probe is the port.

    Raises:
        EdgesqError: the configuration cannot be read, or not as wished.
    """
    wish.check(NAME, folder, PROGRAMS, options=True)
    path = folder / CONFIGURATION
    table = _configuration(path)
    chosen = wish.values("--environment", "-e") or _default(table)
    obstacle = None
    if len(chosen) != 1:
        found = f"several environments: {', '.join(chosen)}" if chosen else "no environment"
        hint = "name one behind --: --environment NAME"
        obstacle = EdgesqError(found, where=str(path), hint=hint)
    environment = chosen[0] if chosen else ""
    port = wish.value("--upload-port") or wish.probe or _value(table, environment, "upload_port")
    return Programming(
        board=_value(table, environment, "board") or environment or NAME,
        programmer=RUNNER,
        work=Run(folder, ("--upload-port", wish.probe) if wish.probe else (), wish.options),
        ports=(port,) if re.fullmatch(r"/[^*?\[$]+", port) else None,
        obstacle=obstacle,
    )


def _configuration(path: Path) -> configparser.ConfigParser:
    """Read platformio.ini as pio does, but for what other files add.

    Raises:
        EdgesqError: it is none.
    """
    table = configparser.ConfigParser(inline_comment_prefixes=("#", ";"), interpolation=None)
    try:
        table.read_string(read_bytes(path).decode())
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        hint = "`pio project config` says what is wrong"
        raise EdgesqError(f"is no configuration: {error}", where=str(path), hint=hint) from error
    return table


def _default(table: configparser.ConfigParser) -> list[str]:
    """Return the environments that pio takes where none is named."""
    default = table.get("platformio", "default_envs", fallback="")
    every = [name.removeprefix(_ENV) for name in table.sections() if name.startswith(_ENV)]
    return [name for name in re.split(r"[,\s]+", default) if name] or every


def _value(table: configparser.ConfigParser, environment: str, key: str) -> str:
    """Return what an environment says, or the section for all; empty where neither does."""
    sections = (f"{_ENV}{environment}", _BASE)
    return next((table[name][key] for name in sections if table.has_option(name, key)), "")


def steps(run: Run) -> list[Step]:
    """Return the one command: it builds what is not built, and uploads."""
    name = next((name for name in PROGRAMS if shutil.which(name)), PROGRAMS[0])
    where = ("--project-dir", str(run.folder), "--target", "upload")
    return [Step((name, "run", *where, *run.words, *run.options))]


RUNNER = Programmer[Run](
    name=PROGRAMS[0],
    program=PROGRAMS[0],
    get="pip install platformio",
    failures=(
        Failure(
            r"Please specify `upload_port`",
            "no board found",
            "plug it in, or name its port: --probe /dev/ttyACM0",
        ),
        Failure(
            r"Permission denied|could not open port .*Errno 13",
            "no permission to open the port",
            "add yourself to the group dialout",
        ),
        Failure(
            r"could not open port|No such file or directory: '/dev/|No device found on",
            "the port is not there, or another program uses it",
            "plug the board in and end `pio device monitor`",
        ),
        Failure(
            r"Unknown environment names",
            "the project has no such environment",
            "behind --: --environment, as platformio.ini names them",
            is_board=False,
        ),
        Failure(
            r"Unknown board ID|Unknown development platform|Unknown framework"
            r"|Could not find the package|Please specify platform for",
            "PlatformIO does not know the board, or what it is built with",
            "check board and platform in platformio.ini; `pio boards` names boards",
            is_board=False,
        ),
        Failure(
            r"^\*\*\* \[[^\]]*[/\\][^\]]*\] Error \d+",
            "the project does not build",
            "`pio run` shows what the compiler says",
            is_board=False,
        ),
    ),
    is_compared=False,
    steps=steps,
)

SYSTEM = System(name=NAME, is_build=is_project, read=read, programmers=(RUNNER,))
