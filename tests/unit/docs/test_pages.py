"""The Markdown of the repository: links resolve, pages have one heading, decisions stay short."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from generate import nav
from support.paths import ROOT

PACKAGE = ROOT / "edgesq"
ARCHITECTURE = ROOT / "docs" / "explanation" / "architecture.md"
DECISIONS = ARCHITECTURE.parent / "decisions"
MAX_WORDS = {"README.md": 900, "architecture.md": 1_500, "decision": 430}
"""Words are what stands between blanks and is no mark of a table."""

_FENCE = re.compile(r"^```.*?^```", re.M | re.S)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.M)


def pages() -> list[Path]:
    """Return every Markdown file that git knows or would take."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(path for line in found.splitlines() if (path := ROOT / line).is_file())


def prose(page: Path) -> str:
    """Return a page without its code."""
    return _CODE.sub("", _FENCE.sub("", page.read_text()))


def anchors(page: Path) -> set[str]:
    """Return the names that GitHub and Python-Markdown give to the headings of a page."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text()))
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {word.strip().replace(" ", "-") for word in words}


def broken(page: Path) -> list[str]:
    """Return the relative links of a page that lead nowhere."""
    wrong = []
    for link in _LINK.findall(prose(page)):
        file, _, anchor = link.partition("#")
        to = (page.parent / file).resolve() if file else page
        is_web = re.match(r"[a-z]+:", link)
        if not is_web and not (to.exists() and (not anchor or anchor in anchors(to))):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_resolves(page: Path) -> None:
    assert broken(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One: `x`\n[a](page.md#one-x) [b](none.md) [c](page.md#two)\n[d](#one-x)\n"
        "[e](https://example.org/none) `[f](code.md)`\n```\n[g](code.md)\n```\n"
    )
    assert broken(page) == ["none.md", "page.md#two"]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_begins_with_its_only_title(page: Path) -> None:
    text = _FENCE.sub("", page.read_text())
    assert re.findall(r"^# ", text, re.M) == ["# "]
    assert text.startswith("# ")


def test_the_architecture_names_what_is_there() -> None:
    text = ARCHITECTURE.read_text()
    rows = re.findall(r"^\| (`.*?) \|", text, re.M)
    named = [room for row in rows for room in re.findall(r"`(\w+)`", row)]
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms <= set(named)
    assert {PACKAGE / room for room in named if room not in rooms} <= {
        path.with_suffix("") for path in PACKAGE.glob("*.py")
    }
    files = re.findall(r"`(\w+/[\w/]+\.[chpy]+)`", text)
    assert len(files) > 15
    for file in files:
        assert (PACKAGE / file).is_file() or (ROOT / "firmware" / file).is_file(), file


def test_every_page_is_in_the_nav_of_the_site() -> None:
    docs = ROOT / "docs"
    config = yaml.safe_load((docs / "mkdocs.yml").read_text())
    tree = nav.expanded(config["nav"])
    named = nav.pages(tree)
    there = {page.relative_to(docs).as_posix() for page in pages() if docs in page.parents}
    assert there <= set(named)
    assert nav.outside(tree).keys() == set(named) - there


def test_every_decision_is_in_the_index() -> None:
    index = (DECISIONS / "README.md").read_text()
    decisions = sorted(DECISIONS.glob("[0-9]*.md"))
    numbers = [page.name[:3] for page in decisions]
    assert sorted(set(numbers)) == numbers
    for page in decisions:
        title = page.read_text().partition("\n")[0].removeprefix("# ")
        assert f"- {page.name[:3]}: [{title}]({page.name})" in index


def test_pages_that_promise_to_be_short_are() -> None:
    for page in [ROOT / "README.md", ARCHITECTURE, *DECISIONS.glob("[0-9]*.md")]:
        words = [word for word in page.read_text().split() if re.search(r"\w", word)]
        assert len(words) <= MAX_WORDS.get(page.name, MAX_WORDS["decision"]), page.name
