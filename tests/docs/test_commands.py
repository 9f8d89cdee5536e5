"""The pages' commands are run as they stand, their output compared; their data is parsed."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.doc_blocks import READ, RUN, Document, read_document
from support.doc_runner import TIMEOUT_S, run_document
from support.paths import ROOT

TOLD = ("README.md", "CONTRIBUTING.md", "targets/README.md")
PAGES = [
    *(path for name in TOLD if (path := ROOT / name).exists()),
    *sorted((ROOT / "docs").rglob("*.md")),
]
DOCUMENTS = [read_document(page) for page in PAGES]
PARSERS: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
}
OTHERS = ("", "text", "cmake", "html", "ini", "powershell", "make")
"""Languages of blocks that show something: pictures, files, other machines' commands."""


def name(document: Document) -> str:
    return str(document.page.relative_to(ROOT))


@pytest.mark.slow
@pytest.mark.emulated
@pytest.mark.timeout(TIMEOUT_S + 60)
@pytest.mark.parametrize(
    "document",
    [one for one in DOCUMENTS if any(b.is_run or b.not_run for b in one.blocks)],
    ids=name,
)
def test_a_pages_commands_do_as_it_says(
    document: Document, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    for block in document.blocks:
        if block.not_run is not None:
            place = block.page.relative_to(ROOT)
            record_property("not run", f"{place}:{block.line}: {block.not_run}")
    record_property("run", sum(block.is_run for block in document.blocks))
    run_document(document, tmp_path)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_data_in_a_page_is_what_it_says(document: Document) -> None:
    for block in document.blocks:
        if block.language in READ:
            PARSERS[block.language](block.text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_commands_stand_in_blocks_that_are_run(document: Document) -> None:
    for block in document.blocks:
        assert block.language in (*RUN, *READ, *OTHERS, "run"), block.place
        if block.language in OTHERS and name(document) != "README.md":
            assert not re.search(r"^(\$ |edgesq )", block.text, re.M), block.place
