"""Parts that are made from the source hold what the source holds."""

import ast
import re
from dataclasses import fields

import pytest
from typer.testing import CliRunner

import edgesq
from edgesq import errors as kinds
from edgesq.cli.app import app
from edgesq.flash.keys import UF2_FAMILY
from edgesq.formats.tflite.table import NAMES
from edgesq.targets import Target, list_targets
from generate import boards, commands, errors, headers, operators, records
from generate.parts import PARTS
from support.paths import ROOT


def rows(part: str) -> set[str]:
    """Return the first cells of all tables, without the marks of code."""
    return {line.split("|")[1].strip().strip("`") for line in part.splitlines() if "|" in line}


def test_every_part_is_used_and_gives_text() -> None:
    marks = {
        mark
        for page in (ROOT / "docs").rglob("*.md")
        for mark in re.findall(r"^<!-- made: (\S+) -->$", page.read_text(), re.M)
    }
    assert marks == set(PARTS)
    for name, part in PARTS.items():
        assert part().strip(), name


def test_every_option_of_every_command_is_in_its_table() -> None:
    part = commands.commands()
    wide = {"COLUMNS": "200"}
    for name in re.findall(r"^### edgesq (.*)$", part, re.M):
        said = CliRunner().invoke(app, [name, "--help"], env=wide).stdout
        listed = part.partition(f"### edgesq {name}\n")[2].partition("\n###")[0]
        shown = set(re.findall(r"^[^\w-]*(--[a-z-]+)", said, re.M)) - {"--help"}
        assert shown == set(re.findall(r"`(--[a-z-]+)`", listed)), name
        assert shown or name == "schema"


def test_every_key_of_a_target_is_in_the_table() -> None:
    assert {field.name for field in fields(Target)} <= rows(records.record("target"))
    assert UF2_FAMILY.name in rows(records.flash_keys())
    assert {target.name for target in list_targets()} <= rows(boards.boards())


def test_macros_of_a_port_come_with_what_is_said_of_them() -> None:
    lines = [line for line in boards.defines().splitlines() if "`ESQ_UART_RX_IRQ`" in line]
    assert any("vector table" in line for line in lines)


def test_every_operator_is_in_the_table_with_its_limits() -> None:
    part = operators.of_tflite()
    assert set(NAMES) <= rows(part)
    (line,) = (line for line in part.splitlines() if line.startswith("| `STRIDED_SLICE`"))
    assert "a stride is below 1" in line


@pytest.mark.parametrize("path", sorted(headers.INCLUDE.glob("*.h")), ids=lambda path: path.name)
def test_every_line_of_a_header_is_shown(path: object) -> None:
    text = headers.INCLUDE.joinpath(str(path)).read_text()
    shown = " ".join(headers.described(text).replace("\\", "").split())
    code = re.sub(r"/\*.*?\*/|#include[^\n]*", "", text, flags=re.S)
    for name in set(re.findall(r"\b(?:esq|ESQ)_\w+", code)) - {"ESQ_LAYOUT_VERSION"}:
        assert name in shown or name.endswith("_H"), name


def test_errors_are_told_with_what_to_try() -> None:
    said = {one.message: one for one in errors.all_said()}
    assert said["no such model file"].hint == "check the path"
    assert said["the image takes … B, … B are wanted"].hint == "give a larger SIZE"
    assert len(said) > 300


def test_an_error_without_advice_has_a_cause_here() -> None:
    said = errors.all_said()
    assert [one.message for one in said if not (one.hint or errors.cause(one))] == []
    messages = {one.message.replace("\\", "") for one in said if not one.hint}
    assert set(errors.CAUSES["messages"]) <= messages
    assert set(errors.CAUSES["rooms"]) <= {one.room for one in said if not one.hint}


def test_no_error_of_the_source_is_left_out() -> None:
    """Every raise of an error with a text of its own gives a row."""
    said = {re.sub(r"[\\…]", "", one.message) for one in errors.all_said()}
    for path in sorted(errors.PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                first = next(iter(node.exc.args), None)
                kind = getattr(kinds, getattr(node.exc.func, "id", ""), None)
                says = kind is kinds.EdgesqError or (kind and "__init__" not in vars(kind))
                if isinstance(first, ast.Constant) and says:
                    words = str(first.value)
                    assert any(words in one.replace("&lt;", "<") for one in said), words


def test_every_public_name_of_the_package_is_listed() -> None:
    listed = "".join(PARTS[f"python-{kind}"]() for kind in ("classes", "functions", "others"))
    named = set(re.findall(r"^::: edgesq\.(\w+)$", listed, re.M))
    errors_and_version = {name for name in edgesq.__all__ if name.endswith(("Error", "__"))}
    assert named == set(edgesq.__all__) - errors_and_version
