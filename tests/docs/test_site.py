"""The documentation's site: built strictly, links that lead somewhere, nothing from a network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from generate import links, nav, parts, stage
from generate.places import ROOT
from support.site_pages import HtmlPage, pages_of

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium")


def built(staged: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Run mkdocs as `make docs` does, into another folder."""
    arguments = ["build", "--strict", "--config-file", str(staged / "mkdocs.yml")]
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", *arguments, "--site-dir", str(site)],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "staged"
    stage(folder)
    return folder


@pytest.fixture(scope="module")
def site(staged: Path) -> dict[Path, HtmlPage]:
    done = built(staged, staged.parent / "site")
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return pages_of(staged.parent / "site")


def test_make_docs_builds_it_strictly() -> None:
    rule = (ROOT / "Makefile").read_text().partition("\ndocs:")[2].partition("\n\n")[0]
    assert "mkdocs build --strict" in rule
    assert "--quiet" not in rule  # mkdocs would not count warnings
    assert "-m generate ../build/docs" in rule


def test_every_link_leads_to_a_page_and_an_anchor(site: dict[Path, HtmlPage]) -> None:
    assert len(site) > 60
    for page in site.values():
        for link in page.links:
            target, _, anchor = unquote(link).partition("#")
            if ":" in target:
                continue
            to = (page.path.parent / target).resolve() if target else page.path
            assert to.is_file(), f"{page.path}: {link}"
            ids = site[to].ids if anchor and to in site else set()
            assert not anchor or anchor in ids or anchor == "__skip", f"{page.path}: {link}"


def test_nothing_is_loaded_from_a_network(site: dict[Path, HtmlPage]) -> None:
    for page in site.values():
        assert page.loaded
        for link in page.loaded:
            assert not link.startswith(("http:", "https:", "//")), f"{page.path}: {link}"
            file = unquote(link).partition("#")[0].partition("?")[0]
            assert link.startswith("data:") or (page.path.parent / file).exists(), link


def test_style_sheets_load_nothing_from_a_network(site: dict[Path, HtmlPage]) -> None:
    sheets = {
        (page.path.parent / link).resolve()
        for page in site.values()
        for link in page.loaded
        if link.endswith(".css")
    }
    assert sheets
    for sheet in sheets:
        assert "url(http" not in sheet.read_text()
        assert "@import" not in sheet.read_text()


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_page_opened_from_a_disk_can_search(site: dict[Path, HtmlPage]) -> None:
    index = next(path for path in site if path.name == "index.html" and path.parent.name == "site")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--virtual-time-budget=20000", f"{index.as_uri()}?q=zero+point"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "reference/glossary.html" in shown.partition("md-search-result__item")[2]


def test_a_broken_link_fails_the_build(staged: Path, tmp_path: Path) -> None:
    page = staged / "pages" / "README.md"
    text = page.read_text()
    try:
        page.write_text(f"{text}\n[nowhere](none.md)\n")
        done = built(staged, tmp_path)
    finally:
        page.write_text(text)
    assert done.returncode != 0
    assert "none.md" in done.stderr


def test_a_page_that_is_not_in_the_nav_fails_the_build(staged: Path, tmp_path: Path) -> None:
    page = staged / "pages" / "lost.md"
    try:
        page.write_text("# Lost\n")
        done = built(staged, tmp_path)
    finally:
        page.unlink()
    assert done.returncode != 0
    assert "lost.md" in done.stderr


def test_a_page_of_the_nav_that_is_nowhere_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.md"):
        nav.outside([{"One": ["README.md", "none.md"]}])


def test_links_are_turned() -> None:
    source = ROOT / "docs" / "explanation" / "architecture.md"
    text = "[a](../../firmware/SPEC.md#one) [b](../../README.md) [c](../../Makefile) `[d](x.md)`"
    uris = {"README.md", "firmware/SPEC.md", "explanation/architecture.md"}
    turned = links.turned(text, "explanation/architecture.md", source, uris)
    assert turned == "[a](../firmware/SPEC.md#one) [b](../README.md) c `[d](x.md)`"


def test_a_mark_that_names_no_part_is_an_error() -> None:
    with pytest.raises(KeyError, match="nothing"):
        parts.filled("# One\n\n<!-- made: nothing -->\n")
