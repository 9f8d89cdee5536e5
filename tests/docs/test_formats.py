"""Where formats are listed, all are."""

import pytest

from edgesq.choices import Layout
from support.paths import ROOT

LISTS = ("README.md", "docs/how-to/use-in-your-c-project.md", "docs/reference/build.md")


@pytest.mark.parametrize("place", [*LISTS, "edgesq/api/export.py"])
def test_every_format_is_listed(place: str) -> None:
    text = (ROOT / place).read_text()
    quote = '"' if place.endswith(".py") else "`"
    named = {layout for layout in Layout if f"{quote}{layout.value}{quote}" in text}
    assert named >= set(Layout) - {Layout.CMAKE, Layout.C_LIBRARY}
    table = [line for line in text.splitlines() if line.startswith("| `c-library`")]
    assert not table or named == set(Layout)
