"""Keys of JSON and TOML files: tables of the schemas that `edgesq schema` prints."""

import ast
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from typer.testing import CliRunner

from edgesq.cli.app import app
from edgesq.flash.runners import RUNNERS
from generate.markdown import code, plain, table
from generate.places import ROOT

_HEADER = ("key", "type", "what it is")


def record(name: str) -> str:
    """Return tables of all keys of a document, its parts below it.

    Args:
        name: as `edgesq schema` takes it.
    """
    printed = CliRunner().invoke(app, ["schema", name], catch_exceptions=False)
    schema = json.loads(printed.stdout)
    parts: dict[str, Any] = schema["$defs"]
    first = schema["$ref"].rpartition("/")[2]
    order = [first, *(part for part in parts if part != first)]
    return "\n".join(_part(part, parts[part], part == first) for part in order)


def _part(name: str, part: dict[str, Any], is_first: bool) -> str:
    needed = set(part.get("required", ()))
    if "properties" not in part:
        values = ", ".join(code(str(value)) for value in part.get("enum", ()))
        return f"#### {name}\n\n{plain(part.get('description', ''))} One of: {values}.\n"
    rows = [
        [code(key), _type(one), plain(one.get("description", "")) + _left_out(key, one, needed)]
        for key, one in part["properties"].items()
    ]
    heading = "" if is_first else f"#### {name}\n\n"
    return f"{heading}{plain(' '.join(part.get('description', '').split()))}\n\n" + table(
        _HEADER, rows
    )


def _left_out(key: str, one: dict[str, Any], needed: set[str]) -> str:
    if key in needed:
        return ""
    default = one.get("default")
    empty = default in (None, [], {}, "")
    return " May be left out." if empty else f" {code(json.dumps(default))} if left out."


def _type(one: dict[str, Any]) -> str:
    """Return a type in words: `text`, `number from 0`, `list of Operator`, `Sizes or null`."""
    if "$ref" in one:
        return str(one["$ref"].rpartition("/")[2])
    if "anyOf" in one:
        return " or ".join(_type(choice) for choice in one["anyOf"])
    if "enum" in one:
        return ", ".join(code(str(choice)) for choice in one["enum"])
    kind = one.get("type")
    if isinstance(kind, list):
        return " or ".join(_type({**one, "type": each}) for each in kind)
    if kind == "array":
        return _array(one)
    if kind == "object":
        below = one.get("additionalProperties")
        return f"table of {_type(below)}" if isinstance(below, dict) and below else "table"
    return " ".join([_WORDS.get(str(kind), "any value"), *_range(one)])


def _array(one: dict[str, Any]) -> str:
    if "prefixItems" in one:
        return f"list of {len(one['prefixItems'])}: {_type(one['prefixItems'][0])}"
    return f"list of {_type(one['items'])}" if one.get("items") else "list"


def _range(one: dict[str, Any]) -> Iterator[str]:
    if "minimum" in one:
        yield f"from {one['minimum']:,}"
    if "maximum" in one and one["maximum"] < 1 << 40:
        yield f"to {one['maximum']:,}"


_WORDS = {
    "boolean": "true or false",
    "integer": "whole number",
    "null": "null",
    "number": "number",
    "string": "text",
}


def flash_keys() -> str:
    """Return the keys of a target's table [flash], and which runners read them."""
    keys: dict[str, tuple[str, list[str]]] = {}
    for runner in RUNNERS.values():
        probe = getattr(runner, "probe_ids", None)
        for key in (*runner.needs, *((probe,) if probe else ())):
            keys.setdefault(key.name, (_KINDS.get(key.kind, "list of text"), []))[1].append(
                code(runner.name)
            )
    said = _said_of_keys()
    rows = [
        [code(name), kind, plain(said[name]), ", ".join(readers)]
        for name, (kind, readers) in sorted(keys.items())
    ]
    return table(("key", "type", "what it is", "read by"), rows)


_KINDS = {int: "whole number", str: "text"}


def _said_of_keys() -> dict[str, str]:
    """Return the docstrings of the constants that are keys, by the key's name."""
    said: dict[str, str] = {}
    for path in sorted((ROOT / "edgesq" / "flash").glob("*.py")):
        body = ast.parse(path.read_text()).body
        for one, below in pairwise(body):
            match one, below:
                case (
                    ast.Assign(value=ast.Call(args=[ast.Constant(value=str(name)), *_])),
                    ast.Expr(value=ast.Constant(value=str(words))),
                ):
                    said[name] = " ".join(words.split())
    return said
