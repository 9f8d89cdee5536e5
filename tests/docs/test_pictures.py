"""The pictures of a real run: they are small, need no network, and say what the demo says."""

import re
from xml.etree import ElementTree

import pytest
from PIL import Image

from support.paths import ROOT

ASSETS = ROOT / "docs" / "assets"
MAX_BYTES = 150_000


@pytest.mark.parametrize("name", ["verify-page.png", "export-page.png"])
def test_photographs(name: str) -> None:
    assert (ASSETS / name).stat().st_size <= MAX_BYTES
    shown = Image.open(ASSETS / name).convert("RGB")
    assert shown.width >= 1000
    colours = shown.getcolors(1 << 20)
    assert colours is not None
    assert len(colours) > 30  # no blank page


def test_the_terminal() -> None:
    text = (ASSETS / "demo-terminal.svg").read_text(encoding="utf-8")
    assert len(text) <= MAX_BYTES
    assert set(re.findall(r"https?:[^\"]*", text)) == {"http://www.w3.org/2000/svg"}
    assert re.findall(r"@import|@font-face|<script|<image", text) == []
    root = ElementTree.fromstring(text)
    words = " ".join("".join(one.itertext()) for one in root.iter() if one.tag.endswith("text"))
    said = re.sub(r"\s+", " ", words)
    for part in (
        "$ edgesq export --target cortex-m",
        "$ edgesq flash",
        "$ edgesq verify --count 100",
        "images equal bit for bit 100",
        "values that differ 0 of 2,000",
        "0 differing values",
    ):
        assert part in said, part
