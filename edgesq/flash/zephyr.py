"""A build folder of Zephyr's: flashed by `west`, or its emulated board started as Zephyr does it.

Source: Zephyr, cmake/flash/CMakeLists.txt (runners.yaml), cmake/emu/qemu.cmake (how QEMU is run),
scripts/west_commands/run_common.py (what `west flash` takes and says).
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgesq.errors import EdgesqError, MissingToolError, ToolError
from edgesq.files import read_text
from edgesq.flash import qemu
from edgesq.flash.cmake_cache import read_cache
from edgesq.flash.foreign import Built, Emulating, Programming, System, Wish
from edgesq.flash.runner import Programmer
from edgesq.flash.steps import Failure, Step

NAME = "Zephyr"

_MARKS = ("ZEPHYR_BASE", "ZEPHYR_TOOLCHAIN_VARIANT")
"""In the cache of Zephyr's builds and no other's, as west tells them."""
_QEMU = "qemu"
_LINE = "con"
"""The character device that Zephyr gives the board's first UART."""
_QEMU_RULE = re.compile(
    r"^build (?=[^\n:]*\brun_qemu\b)[^\n]*\n(?:  [^\n]*\n)*?  COMMAND = ([^\n]*)\n", re.M
)
_DROPPED = ("-pidfile", "-mon")
"""A file of its own, and QEMU's monitor, which would read commands out of the line's bytes."""


@dataclass(frozen=True)
class Application:
    """What a build folder is of.

    Attributes:
        top: what `west` is given: the folder, also where it holds several images.
        folder: the application's own, with its cache.
        board: as Zephyr calls it.
        runners: that `west flash` can take, the usual one first.
        sources: the application and the modules that it was built with.
    """

    top: Path
    folder: Path
    board: str
    runners: tuple[str, ...]
    sources: tuple[Path, ...]


@dataclass(frozen=True)
class WestJob:
    """What `west flash` is told.

    Attributes:
        folder: the build folder.
        wish: how the user wants it.
    """

    folder: Path
    wish: Wish


def is_build(folder: Path) -> bool:
    """Return whether a folder is one that Zephyr built in, or holds that one as `build`."""
    return any(_is_zephyr(path) for path in (folder, folder / "build"))


def read(folder: Path, wish: Wish) -> Built:
    """Return what is to be done with a build folder.

    A board that Zephyr has a program for is flashed by it; else, or where the runner `qemu` is
    asked for, it is emulated.

    Raises:
        EdgesqError: it cannot be followed, or not as wished.
        ToolError: it is not built.
    """
    found = read_application(folder)
    emulated = _emulator_of(found.folder)
    known = (*found.runners, *((_QEMU,) if emulated else ()))
    if not known:
        hint = "`west build -t run` may start it; a port that exists is verified by --port"
        raise EdgesqError(f"Zephyr flashes no {found.board}", where=str(found.top), hint=hint)
    is_emulated = bool(emulated) and (not found.runners or wish.runner == _QEMU)
    wish.check(NAME, found.top, known, options=not is_emulated)
    if not is_emulated:
        return Programming(
            board=found.board,
            programmer=RUNNER,
            work=WestJob(found.top, wish),
            sources=found.sources,
        )
    return Emulating(
        board=found.board,
        command=lambda tcp_port: _command(emulated, tcp_port),
        sources=found.sources,
    )


def read_application(folder: Path) -> Application:
    """Read what Zephyr's build left in its folder.

    Raises:
        EdgesqError: a file is not of Zephyr's form.
        ToolError: the build was begun and not ended.
    """
    top = folder if _is_zephyr(folder) else folder / "build"
    own = _default_domain(top)
    entries = read_cache(own)
    board = entries.get("CACHED_BOARD") or entries.get("BOARD")
    if not board or not re.fullmatch(r"[A-Za-z0-9][\w@./-]*", board):
        raise _strange(own / "CMakeCache.txt", f"board {board!r}")
    if not (own / "zephyr" / ".config").is_file() or not _images(own):
        raise ToolError("is not built", where=str(top), hint="`west build` first")
    source = entries.get("APPLICATION_SOURCE_DIR") or entries.get("CMAKE_HOME_DIRECTORY", "")
    sources = (*((Path(source),) if source else ()), *_modules(own))
    return Application(top, own, board, _runners(own), sources)


def _is_zephyr(folder: Path) -> bool:
    return not read_cache(folder).keys().isdisjoint(_MARKS)


def _default_domain(top: Path) -> Path:
    """Return the folder of the image that several-image builds (sysbuild) call the default."""
    path = top / "domains.yaml"
    if not path.is_file():
        return top
    text = read_text(path)
    name = re.search(r"^default:[ \t]*(\S+)", text, re.M)
    found = dict(re.findall(r"- name:[ \t]*(\S+)[ \t]*\n[ \t]*build_dir:(.*)", text))
    folders = {_plain(key): Path(_plain(folder)) for key, folder in found.items()}
    own = folders.get(_plain(name[1])) if name else None
    if own is None or not _is_zephyr(own):
        raise _strange(path, "its default image is not there")
    return own


def _plain(value: str) -> str:
    """Return a value of YAML without its quotes."""
    return value.strip().strip("'\"")


def _images(folder: Path) -> list[Path]:
    return sorted((folder / "zephyr").glob("*.elf")) + sorted((folder / "zephyr").glob("*.exe"))


def _modules(folder: Path) -> Iterator[Path]:
    """Yield the folders of modules: lines `"name":"folder":"folder of its CMake file"`."""
    path = folder / "zephyr_modules.txt"
    if path.is_file():
        for line in read_text(path).splitlines():
            match = re.match(r'"[^"]*":"([^"]+)"', line)
            if match:
                yield Path(match[1])


def _runners(folder: Path) -> tuple[str, ...]:
    """Return what `west flash` can take, the usual one first; nothing where it has none.

    One that only debugs, as QEMU's, is listed too; so the usual one must be named.
    """
    path = folder / "zephyr" / "runners.yaml"
    if not path.is_file():
        return ()
    text = read_text(path)
    usual = re.search(r"^flash-runner:\s*([\w-]+)", text, re.M)
    listed = re.search(r"^runners:\s*\n((?:\s*-\s*[\w-]+\s*\n)*)", text, re.M)
    if usual is None or listed is None:
        return ()
    names = (usual[1], *re.findall(r"-\s*([\w-]+)\s*$", listed[1], re.M))
    return tuple(dict.fromkeys(name for name in names if name != _QEMU))


def _emulator_of(folder: Path) -> tuple[str, ...]:
    """Return the command by which Zephyr starts QEMU; nothing where the board has none.

    It is a rule of the build: build.ninja says `cd FOLDER && PROGRAM ARGUMENTS`.
    """
    path = folder / "build.ninja"
    if not path.is_file():
        return ()
    rule = _QEMU_RULE.search(read_text(path))
    if rule is None:
        return ()
    try:
        words = shlex.split(re.sub(r"\$([$ :])", r"\1", rule[1]))
    except ValueError as error:
        raise _strange(path, f"its rule run_qemu: {error}") from error
    if words[:1] == ["cd"] and "&&" in words:
        words = words[words.index("&&") + 1 :]
    if not words or not qemu.is_own(words):
        raise _strange(path, "its rule run_qemu does not start QEMU")
    return tuple(words)


def _command(words: tuple[str, ...], tcp_port: int | None) -> list[str]:
    """Return Zephyr's command with the board's line on stdin and stdout, or a TCP port, alone.

    Raises:
        MissingToolError: QEMU is not installed.
    """
    program, *arguments = words
    if not Path(program).is_file():
        raise MissingToolError(Path(program).name)
    made = [program, *qemu.line(_LINE, tcp_port)]
    rest = iter(arguments)
    for word in rest:
        if word in _DROPPED:
            next(rest, None)
        elif word == "-nographic":  # which would give stdin and stdout to more than the line
            made += ["-display", "none", "-monitor", "none"]
        elif word == "-chardev":
            device = next(rest, "")
            if f"id={_LINE}" not in device.split(","):
                made += ["-chardev", re.sub(r"^pty\b", "null", device)]
        else:
            made.append(word)
    return made


def _steps(job: WestJob) -> list[Step]:
    wish = job.wish
    runner = () if wish.runner is None else ("--runner", wish.runner)
    probe = () if wish.probe is None else ("--dev-id", wish.probe)
    return [Step(("west", "flash", "--build-dir", str(job.folder), *runner, *probe, *wish.options))]


def _strange(path: Path, why: str) -> EdgesqError:
    hint = "`west build --pristine` makes the folder anew"
    return EdgesqError(f"is not as Zephyr writes it: {why}", where=str(path), hint=hint)


RUNNER = Programmer[WestJob](
    name="west",
    program="west",
    get="pip install west",
    failures=(
        Failure(
            r'unknown command "flash"',
            "west knows no `flash` here",
            "run it within Zephyr's workspace, or set ZEPHYR_BASE",
            is_board=False,
        ),
        Failure(
            r"required program (\S+) not found",
            "the runner's program is not installed",
            "install it, or name another way with --runner; `west flash --context` lists them",
            is_board=False,
        ),
        Failure(
            r"does not support runner|invalid runner name|no flash runner available",
            "Zephyr does not flash the board so",
            "`west flash --context` lists the runners of the build",
            is_board=False,
        ),
        Failure(
            r"unknown arguments|unrecognized arguments|does not support (a )?dev(ice)? ?id",
            "the runner does not take an option",
            "`west flash --context --runner NAME` lists what it takes",
            is_board=False,
        ),
        Failure(
            r"re-build in .* failed|ninja: build stopped|CMake Error",
            "the project does not build",
            "see `west build --build-dir FOLDER`",
            is_board=False,
        ),
    ),
    is_compared=False,
    steps=_steps,
)

SYSTEM = System(name=NAME, is_build=is_build, read=read, programmers=(RUNNER,))
