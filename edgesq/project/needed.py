"""Which C sources a program needs: it runs a few of the kernels, and compiling all takes seconds.

Names decide, read from sources as they are formatted here: a file defines what begins a line of it,
and uses every name in it and in its headers but for what those only declare. A name that a macro
joins stands for all that it may become. So more may be found than is needed.
"""

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_INCLUDE = re.compile(r'^#include "(?:[^"]*/)?([^"/]+)"', re.MULTILINE)
_DECLARED = re.compile(r"^\w[^;{}#=]*;", re.MULTILINE)
_DEFINED = re.compile(
    r"^(?!static)\w[\w *]*\b(esq_\w+)(?:\([^;{}]*\{|(?:\[[^\]]*\])* = )", re.MULTILINE
)
"""A function or a constant that other files see."""

_NAME = re.compile(r"esq_\w*(?:(?:##|\\\(\)|\\)\w*)*")
"""A name, maybe of parts that a macro of C or of the assembler joins."""

_PART = re.compile(r"##\w+?(?:##|$)|\\\w+?(?:\\\(\)|$)")
_TYPES = (re.compile(r"struct (esq_\w+)"), re.compile(r"enum (esq_\w+)"))
"""Apart, because that is quick in a file of a million numbers."""

_NUMBER = re.compile(r"_\d$")
"""What macros of the assembler add to a name that they are given."""

_ASSEMBLER = ".S"
SOURCES = (".c", _ASSEMBLER)


class _Names:
    """Names in a file.

    Attributes:
        plain: names, for each joined one that it may become.
        joined: what fits the joined ones; each part is a word, and maybe a number.
    """

    def __init__(self, found: Iterable[str]) -> None:
        names = frozenset(found)
        joined = frozenset(filter(_PART.search, names))
        self.plain = names - joined | {_PART.sub("x", name) for name in joined}
        parts = "|".join(_PART.sub(r"[a-z0-9]+(?:_\\d)?", name) for name in joined)
        self.joined = re.compile(parts or "(?!)")

    def may_meet(self, other: "_Names") -> bool:
        """Say whether a name may be one of the others."""
        return (
            not self.plain.isdisjoint(other.plain)
            or any(map(self.joined.fullmatch, other.plain))
            or any(map(other.joined.fullmatch, self.plain))
        )


class _File:
    """A file of code, read."""

    def __init__(self, path: Path) -> None:
        text = _COMMENT.sub("", path.read_text(encoding="utf-8"))
        self.path = path
        self.includes = frozenset(_INCLUDE.findall(text))
        self.code = _INCLUDE.sub("", text)

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of no types; of a header but for those that it only declares."""
        is_header = self.path.suffix not in SOURCES
        code = _DECLARED.sub("", self.code) if is_header else self.code
        types = (name for pattern in _TYPES for name in pattern.findall(code))
        return frozenset(_NAME.findall(code)).difference(types)

    @cached_property
    def defines(self) -> _Names:
        """What others may use; of the assembler all names, for these are not told apart."""
        if self.path.suffix == _ASSEMBLER:
            return _Names(self.names)
        return _Names([*_DEFINED.findall(self.code), *filter(_PART.search, self.names)])


class Library:
    """The sources of a runtime, of which a program needs some.

    Args:
        folder: where they are, in folders of it too.
        include: folder of further headers.
    """

    def __init__(self, folder: Path, include: Path) -> None:
        headers = (path for each in (folder, include) for path in each.rglob("*.h"))
        self._headers = {path.name: _File(path) for path in headers}
        self._sources = [_File(path) for path in folder.rglob("*") if path.suffix in SOURCES]

    def needed_by(self, roots: Iterable[Path]) -> list[Path]:
        """Return the sources that files outside the library need, sorted."""
        left, needed = self._sources, list[Path]()
        waiting = [_File(path) for path in roots]
        while waiting:
            used = self._used(waiting.pop())
            found = [source for source in left if used.may_meet(source.defines)]
            left = [source for source in left if source not in found]
            needed += [source.path for source in found]
            waiting += found
        return sorted(needed)

    def _used(self, file: _File) -> _Names:
        """Return what a file uses, in its headers too."""
        names, waiting, seen = set(file.names), set(file.includes), set[str]()
        while waiting := (waiting - seen) & self._headers.keys():
            seen |= waiting
            headers = [self._headers[name] for name in waiting]
            names.update(*(header.names for header in headers))
            waiting = {name for header in headers for name in header.includes}
        return _Names([*names, *(_NUMBER.sub("", name) for name in names)])
