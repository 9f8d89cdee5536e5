"""Every command with its arguments and options, from the declarations that make the program."""

import inspect
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from typer.models import ArgumentInfo, OptionInfo

from edgesq.cli.app import app
from generate.markdown import code, plain, table

_WORDS: dict[Any, str] = {int: "N", float: "X", Path: "PATH", str: "TEXT"}


@dataclass(frozen=True)
class Parameter:
    """An argument or an option.

    Attributes:
        name: of the function's parameter.
        info: as it is declared.
        kind: type of one value.
        default: where it is left out; None for nothing.
        is_list: whether it may be given several times.
    """

    name: str
    info: Any
    kind: Any
    default: Any
    is_list: bool

    @property
    def is_argument(self) -> bool:
        """Whether it is given by its place."""
        return isinstance(self.info, ArgumentInfo)

    @property
    def values(self) -> list[str]:
        """The words that it may be, where they are few."""
        is_choice = isinstance(self.kind, type) and issubclass(self.kind, Enum)
        return [str(one.value) for one in self.kind] if is_choice else []


def commands() -> str:
    """Return a heading, the usage and a table for each command."""
    found = {
        one.name or one.callback.__name__.replace("_", "-"): one.callback
        for one in app.registered_commands
        if one.callback is not None
    }
    return "\n".join(_command(name, found[name]) for name in sorted(found))


def _command(name: str, function: Any) -> str:
    parameters = list(_parameters(function))
    arguments = [one for one in parameters if one.is_argument]
    options = [one for one in parameters if not one.is_argument]
    words = ["edgesq", name, *(f"[{one.name.upper()}]" for one in arguments)]
    usage = " ".join([*words, *(["[OPTIONS]"] if options else [])])
    help_text = plain(" ".join((inspect.getdoc(function) or "").split()))
    rows = [[_names(one), _said(one), _default(one)] for one in (*arguments, *options)]
    text = f"### edgesq {name}\n\n{help_text}\n\n```text\n{usage}\n```\n"
    return f"{text}\n{table(('option', 'what it is', 'if left out'), rows)}" if rows else text


def _parameters(function: Any) -> Iterator[Parameter]:
    hints = typing.get_type_hints(function, include_extras=True)
    for name, one in inspect.signature(function).parameters.items():
        kind, *infos = typing.get_args(hints[name])
        info = next(one for one in infos if isinstance(one, ArgumentInfo | OptionInfo))
        inner = [part for part in typing.get_args(kind) if part is not type(None)]
        kind = inner[0] if inner else kind
        is_list = typing.get_origin(kind) is list
        kind = typing.get_args(kind)[0] if is_list else kind
        default = None if one.default is inspect.Parameter.empty else one.default
        yield Parameter(name, info, kind, default, is_list)


def _names(one: Parameter) -> str:
    if one.is_argument:
        return code(one.name.upper())
    said = (one.info.default, *(one.info.param_decls or ()))  # the first may stand in either
    names = [name for name in said if isinstance(name, str) and name.startswith("--")]
    names = names or [f"--{one.name.replace('_', '-')}"]
    shown = ", ".join(map(code, names))
    return shown if one.kind is bool else f"{shown} {code(_value(one))}"


def _value(one: Parameter) -> str:
    return str(one.info.metavar or "|".join(one.values) or _WORDS[one.kind])


def _said(one: Parameter) -> str:
    extra = list(_limits(one))
    if one.is_argument and one.values:
        extra.insert(0, ", ".join(map(code, one.values)))
    return " ".join([plain(one.info.help or ""), *([f"({'; '.join(extra)})"] if extra else [])])


def _limits(one: Parameter) -> Iterator[str]:
    if one.info.min is not None:
        yield f"from {one.info.min:,}"
    if one.info.max is not None:
        yield f"to {one.info.max:,}"
    if one.is_list:
        yield "may be given several times"


def _default(one: Parameter) -> str:
    default = one.default.value if isinstance(one.default, Enum) else one.default
    return "" if default is None or default is False else code(str(default))
