"""The page of results: what a run measured replaces its own sections and nothing else."""

from pathlib import Path

import pytest
from rich.table import Table

from bench import page
from bench.page import Section, markdown, replaced
from edgesq.cli import terminal

OLD = "# Results\n\nOf the bench.\n\n## One\n\nfirst\n\n## Two\n\nsecond\n"


@pytest.fixture
def table() -> Table:
    made = terminal.table("[bold]all[/] of it", ["name"], ["count"])
    made.add_row("a|b", "[green]1,000[/]")
    made.add_row(terminal.styled("[c]", "red"), "")
    return made


def test_a_table_as_markdown(table: Table) -> None:
    assert markdown(table).splitlines() == [
        "all of it:",
        "",
        "| name | count |",
        "| --- | ---: |",
        "| a\\|b | 1,000 |",
        "| [c] |  |",
    ]


def test_a_section_takes_the_place_of_the_one_with_its_title(table: Table) -> None:
    section = Section("One", "make bench BENCH=--one", ["A sentence.", table])
    new = replaced(OLD, section, "abc1234")
    head, first, second = new.split("## ")
    assert head == "# Results\n\nOf the bench.\n\n"
    title, origin, sentence, *_ = first.split("\n\n")
    assert (title, sentence) == ("One", "A sentence.")
    assert origin == "Measured at commit abc1234 by `make bench BENCH=--one`."
    assert second == "Two\n\nsecond\n"
    assert replaced(new, section, "abc1234") == new


def test_a_new_section_goes_to_the_end() -> None:
    new = replaced(OLD, Section("Three", "make bench", ["x"]), "abc1234")
    assert new == OLD + "\n## Three\n\nMeasured at commit abc1234 by `make bench`.\n\nx\n"


def test_a_run_of_a_part_leaves_the_rest_of_the_page(tmp_path: Path) -> None:
    path = tmp_path / "bench.md"
    path.write_text(OLD)
    row = {"network": "LeNet", "board": "netduino2", "estimated": 1_010, "counted": 1_000}
    page.write_page({"measured": "abc1234", "estimates": [row]}, path)
    text = path.read_text()
    assert text.startswith(OLD)
    assert "## Estimated instructions\n" in text
    assert "| LeNet | netduino2 | 1,010 | 1,000 | +1.0% |\n" in text


def test_every_board_has_a_section_of_its_own() -> None:
    report = {"device": {"stack_bytes": 1_012}, "result": {"differing_values": 0}}
    row = {
        "network": page.OPERATORS_OF,
        "target": "mps2-an500",
        "core": "cortex-m7",
        "kernels": "dsp",
        "macs": 1_000,
        "instructions": 700,
        "instructions_per_mac": 0.7,
        "tflm_instructions": None,
        "tflm_arena_bytes": None,
        "ram_goal_bytes": 65_536,
        "arena_bytes": 45_376,
        "ram_bytes": 51_456,
        "code_bytes": 15_800,
        "report": report,
        "operators": [{"kind": "CONV_2D", "name": "conv1", "macs": 1_000, "instructions": 650}],
    }
    code = {"mps2-an500": {"src/a.c": {"f": 100, "g": 20}}}
    boards, operators = page.sections({"boards": [row], "code": code})
    assert boards.title == "Networks on mps2-an500"
    assert boards.parts[1] == "Code of all these networks, the C library included: 120 B."
    text = replaced(OLD, operators, "abc1234")
    assert "| CONV_2D | conv1 | 1,000 | 650 | 0.650 |\n" in text
