"""Every error that the source raises: what it says, and what it says to try."""

import ast
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgesq import errors
from generate.markdown import code, plain, table
from generate.places import ROOT

PACKAGE = ROOT / "edgesq"
CAUSES = tomllib.loads(Path(__file__).with_name("causes.toml").read_text(encoding="utf-8"))

_MAKERS = {
    "error": ("message", "hint"),
    "UnsupportedError": ("message", "hint"),
    "Failure": ("pattern", "message", "hint"),
}
"""What else makes an error of words, by name, with what its arguments are in their order."""

_GAP = "…"
"""What is filled in where the error is made."""


@dataclass(frozen=True)
class Said:
    """One error.

    Attributes:
        room: folder of `edgesq`, or module beside the folders.
        message: what it says, as Markdown; a gap is what is filled in.
        hint: what to try, likewise; "" for nothing.
    """

    room: str
    message: str
    hint: str


def kinds() -> str:
    """Return a table of the kinds of errors, with their exit codes."""
    found = [one for one in vars(errors).values() if _is_kind(one)]
    rows = [[code(one.__name__), _first_line(one.__doc__), str(one.exit_code)] for one in found]
    return table(("kind", "what it is about", "exit code"), rows)


def messages() -> str:
    """Return a heading and a table for each room."""
    found = all_said()
    parts = []
    for room in sorted({one.room for one in found}):
        rows = [[one.message, one.hint or cause(one)] for one in found if one.room == room]
        about = _first_line(_docstring(room))
        parts.append(
            f"### {room}\n\n{about}\n\n{table(('message', 'cause, or what to try'), rows)}"
        )
    return "\n".join(parts)


def cause(one: Said) -> str:
    """Return why an error without advice comes, "" where nobody says."""
    known: dict[str, str] = CAUSES["messages"]
    rooms: dict[str, str] = CAUSES["rooms"]
    return known.get(one.message.replace("\\", ""), rooms.get(one.room, ""))


def all_said() -> list[Said]:
    """Return every error of the source that has words of its own, each once."""
    found: dict[tuple[str, str, str], Said] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for one in _said_in(path):
            found.setdefault((one.room, one.message, one.hint), one)
    return list(found.values())


def _said_in(path: Path) -> Iterator[Said]:
    room = path.relative_to(PACKAGE).with_suffix("").parts[0]
    reader = _Reader(path)
    for call, variables in reader.calls():
        name = _name(call.func)
        if not _makes_words(name, call, path):
            continue
        given = {str(word.arg): word.value for word in call.keywords}
        given |= dict(zip(_MAKERS.get(name, ("message",)), call.args, strict=False))
        message, hint = (reader.words(given.get(part), variables) for part in ("message", "hint"))
        if message.replace(_GAP, "").strip(" :;,()"):
            yield Said(room, message, hint)


def _makes_words(name: str, call: ast.Call, path: Path) -> bool:
    """Say whether a call gives an error its words.

    A kind of errors with words of its own gives them where it is declared.
    """
    if name == "__init__":
        return path.stem == "errors" and path.parent == PACKAGE and bool(call.args)
    if name == "error":
        return bool(call.args) and not isinstance(call.args[0], ast.Name)
    kind = getattr(errors, name, None)
    has_own = (
        kind is not errors.EdgesqError and "__init__" in vars(kind) if _is_kind(kind) else True
    )
    return name in _MAKERS or not has_own


def _is_kind(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, errors.EdgesqError)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _first_line(words: str | None) -> str:
    return plain((words or "").strip().partition("\n")[0])


def _docstring(room: str) -> str:
    folder = PACKAGE / room
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    return ast.get_docstring(ast.parse(path.read_text())) or ""


class _Reader:
    """Turns expressions of one module into the words that they make; nothing is imported."""

    def __init__(self, path: Path) -> None:
        self._tree = ast.parse(path.read_text())
        self._constants = dict(_assigned(self._tree.body))

    def calls(self) -> Iterator[tuple[ast.Call, dict[str, ast.expr]]]:
        """Yield every call, and what the variables of its function are set to."""
        for top in self._tree.body:
            for function in ast.walk(top):
                if isinstance(function, ast.FunctionDef):
                    variables = dict(_assigned(list(ast.walk(function))))
                    for one in ast.walk(function):
                        if isinstance(one, ast.Call):
                            yield one, variables
        for top in self._tree.body:
            if not isinstance(top, ast.FunctionDef | ast.ClassDef):
                yield from ((one, {}) for one in ast.walk(top) if isinstance(one, ast.Call))

    def words(self, value: ast.expr | None, variables: dict[str, ast.expr]) -> str:
        """Return what an expression makes, a gap for each part that is computed."""
        match value:
            case None | ast.Constant(value=None):
                return ""
            case ast.Constant(value=found):
                return f"{found:,}" if isinstance(found, int) else plain(str(found))
            case ast.JoinedStr(values=parts):
                return "".join(self.words(part, variables) for part in parts)
            case ast.FormattedValue(value=ast.Name(id=name)) if name.lstrip("_").isupper():
                return self._named(name, variables)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.words(left, variables) + self.words(right, variables)
            case ast.IfExp(body=one, orelse=other):
                return " / ".join(
                    filter(None, (self.words(each, variables) for each in (one, other)))
                )
            case ast.Name(id=name):
                return self._named(name, variables)
            case _:
                return _GAP

    def _named(self, name: str, variables: dict[str, ast.expr]) -> str:
        """Return what a variable or a constant of the module, or of the one it is from, holds."""
        if name in variables:
            rest = {other: value for other, value in variables.items() if other != name}
            return self.words(variables[name], rest)
        if name in self._constants:
            return self.words(self._constants[name], {})
        for one in self._tree.body:
            if isinstance(one, ast.ImportFrom) and name in {alias.name for alias in one.names}:
                path = ROOT / f"{(one.module or '').replace('.', '/')}.py"
                if path.is_file():
                    return _Reader(path)._named(name, {})
        return _GAP


def _assigned(body: Sequence[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """Yield names that are set to one expression."""
    for one in body:
        match one:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
