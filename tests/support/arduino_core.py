"""Build a sketch by the recipes of a core of Arduino that is there, as arduino-cli would.

Source: Arduino platform specification: platform.txt, boards.txt, properties that the build sets,
and where cores and tools of a package are installed.
"""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_SUFFIXES = {".c": "c", ".cpp": "cpp", ".S": "S"}
_WORD = re.compile(r'"([^"]*)"|(\S+)')
"""In a recipe: quotes around all of a word are no part of it, others are."""

_IDE = "10819"
_JOBS = 2


@dataclass(frozen=True)
class Sketch:
    """What is to be built.

    Attributes:
        folder: of the sketch, called as its main file.
        libraries: folders of its libraries, each with `src`; the core's own by name.
        options: lines of build_opt.h, where a core takes one.
        more: files to put into the sketch.
    """

    folder: Path
    libraries: Sequence[Path | str]
    options: Sequence[str] = ()
    more: Sequence[Path] = ()


class Core:
    """An installed core and one of its boards.

    Args:
        folder: PACKAGE/hardware/ARCHITECTURE/VERSION; its tools are in PACKAGE/tools.
        board: as in boards.txt.
        menu: choices in the board's menus.
    """

    def __init__(self, folder: Path, board: str, menu: dict[str, str]) -> None:
        self.folder = folder.absolute()
        every = _lines(folder / "boards.txt")
        self._table = _lines(folder / "platform.txt")
        self._table |= _below(f"{board}.", every)
        for name, choice in menu.items():
            self._table |= _below(f"{board}.menu.{name}.{choice}.", every)
        core = self.folder / "cores" / self._table["build.core"]
        self._table |= {
            "runtime.platform.path": str(self.folder),
            "runtime.ide.version": _IDE,
            "build.arch": self.folder.parent.name.upper(),
            "build.core.path": str(core),
            "build.system.path": str(self.folder / "system"),
            "build.variant.path": str(self.folder / "variants" / self._table["build.variant"]),
            "build.project_name": "sketch.ino",
        }
        for tool in self.folder.parents[2].glob("tools/*/*"):
            self._table[f"runtime.tools.{tool.parent.name}-{tool.name}.path"] = str(tool)

    def build(self, sketch: Sketch, out: Path) -> Path:
        """Compile and link; return the image.

        Args:
            sketch: what is to be built.
            out: an empty folder.
        """
        copy = out / "sketch"
        shutil.copytree(sketch.folder, copy)
        main = copy / f"{sketch.folder.name}.ino"
        main.rename(main.with_suffix(".ino.cpp"))
        for path in sketch.more:
            shutil.copyfile(path, copy / path.name)
        if sketch.options:
            (copy / "build_opt.h").write_text("\n".join(sketch.options))
        place = {"build.path": str(out), "build.source.path": str(copy)}
        libraries = [
            self.folder / "libraries" / name if isinstance(name, str) else name
            for name in sketch.libraries
        ]
        hooks = sorted(name for name in self._table if re.match(r"recipe\.hooks\.prebuild\.", name))
        for hook in hooks:
            _run(self._words(hook, place))
        core, variant = (Path(self._table[f"build.{name}.path"]) for name in ("core", "variant"))
        headers = [core, variant, *(folder / "src" for folder in libraries)]
        place["includes"] = " ".join(f'"-I{folder}"' for folder in headers)
        own = self._compile([copy, *(folder / "src" for folder in libraries)], out / "own", place)
        of_core = self._compile([core, variant], out / "core", place)
        place["archive_file_path"] = str(out / "core" / "core.a")
        for made in of_core:
            _run(self._words("recipe.ar.pattern", place | {"object_file": str(made)}))
        place["object_files"] = " ".join(f'"{path}"' for path in own)
        _run(self._words("recipe.c.combine.pattern", place))
        return out / "sketch.ino.elf"

    def _compile(self, folders: Iterable[Path], out: Path, place: dict[str, str]) -> list[Path]:
        """Compile every source in folders and below; return the objects."""
        out.mkdir()
        sources = [path for folder in folders for path in sorted(folder.rglob("*"))]
        commands: list[list[str]] = []
        objects: list[Path] = []
        for source in (path for path in sources if path.suffix in _SUFFIXES):
            objects.append(out / f"{len(objects)}_{source.name}.o")
            files = {"source_file": str(source), "object_file": str(objects[-1])}
            recipe = f"recipe.{_SUFFIXES[source.suffix]}.o.pattern"
            commands.append(self._words(recipe, place | files))
        with ThreadPoolExecutor(_JOBS) as pool:
            list(pool.map(_run, commands))
        return objects

    def _words(self, name: str, place: dict[str, str]) -> list[str]:
        """Return a recipe as a command: what stands in braces is another property."""
        table = self._table | place
        text = table[name]
        while (wanted := re.search(r"\{([\w.-]+)\}", text)) is not None:
            text = text.replace(wanted[0], table.get(wanted[1], ""))
        return [quoted or bare for quoted, bare in _WORD.findall(text) if quoted or bare]


def _lines(path: Path) -> dict[str, str]:
    """Return the properties in a file: KEY=VALUE, of which those for Linux overrule others."""
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    table = {key.strip(): value.strip() for key, _, value in pairs}
    return table | {
        key.removesuffix(".linux"): value for key, value in table.items() if key.endswith(".linux")
    }


def _below(prefix: str, table: dict[str, str]) -> dict[str, str]:
    return {
        key.removeprefix(prefix): value for key, value in table.items() if key.startswith(prefix)
    }


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stderr[-4000:]}"
