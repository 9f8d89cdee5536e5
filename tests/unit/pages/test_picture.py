"""Pictures as text: anybody's words do no harm, and a file needs nothing else."""

import base64
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from edgesq.pages.picture import Drawing, Picture, clean, shortened, style

HOSTILE = (
    "<script>alert(1)</script>",
    "]]></title><img src=x onerror=alert(1)>",
    "\" onload='x' &amp; &#0;",
    "zero \0 bell \a escape \x1b[31m",
    "\ud800 lone half",
    "\u202eright to left, Ω, 画像, 🎉",
)


def drawn(words: str) -> Picture:
    drawing = Drawing(100, 50, words)
    drawing.rect(1, 2, 3, 4, "one", words)
    drawing.text(5, 6, words, "strong", "end")
    drawing.through([(0, 0), (1.234567, 2)], "line")
    return drawing.picture()


@pytest.mark.parametrize("words", HOSTILE)
def test_words_are_words(words: str) -> None:
    for text in (str(drawn(words)), drawn(words).file()):
        root = ElementTree.fromstring(text.encode())
        found = {re.sub(r"{.*}", "", one.tag) for one in root.iter()}
        assert found <= {"svg", "style", "rect", "title", "text", "polyline"}
        assert root.get("aria-label") == clean(words)
        assert clean(words) in [one.text for one in root.iter()]
        assert all(not name.startswith("on") for one in root.iter() for name in one.attrib)


def test_a_file_needs_nothing_else(tmp_path: Path) -> None:
    picture = drawn("a picture")
    picture.write(tmp_path / "picture.svg")
    text = (tmp_path / "picture.svg").read_text()
    assert text == picture.file() == drawn("a picture").file()
    assert text.startswith("<svg")
    assert re.findall(r"https?:[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme: dark" in text
    assert re.findall(r"@import|url\(|href", text) == []
    assert "http" not in str(picture)


def test_every_class_has_a_style() -> None:
    known = set(re.findall(r"\.([a-z]\w*)", style("pictures")))
    rooms = Path(__file__).parents[3] / "edgesq" / "pages"
    named = set()
    for path in (rooms / "charts.py", rooms / "memory.py", rooms / "network.py"):
        named |= set(
            re.findall(r'"(one|two|three|four|dot|line|axis|at|now|edge)"', path.read_text())
        )
    assert {"one", "two", "dot", "line", "axis", "at", "edge"} <= named <= known
    used = set(re.findall(r"var\(--([\w-]+)\)", style("pictures") + style("page")))
    light, dark = style("colours").split("@media")
    for part in (light, dark):
        assert used - {"share"} <= set(re.findall(r"--([\w-]+):", part))


def test_an_img_holds_the_file() -> None:
    picture = drawn("<b>")
    element = ElementTree.fromstring(picture.as_img())
    assert element.tag == "img"
    assert element.get("alt") == "<b>"
    data = (element.get("src") or "").removeprefix("data:image/svg+xml;base64,")
    assert base64.b64decode(data).decode() == picture.file() == picture._repr_svg_()


@pytest.mark.parametrize(("most", "gives"), [(9, "fire2_exp"), (8, "fir…_exp"), (5, "f…exp")])
def test_long_names_lose_their_middle(most: int, gives: str) -> None:
    assert shortened("fire2_exp", most) == gives
    assert len(shortened("x" * 500, most)) == most
