"""The nav of mkdocs.yml: folders stand for their pages, and pages may lie outside docs/."""

from pathlib import Path
from typing import Any

from generate.places import DOCS, ROOT


def expanded(nav: Any) -> Any:
    """Return a nav with each folder, whose name ends with /, as its pages, README.md first."""
    if isinstance(nav, dict):
        return {title: expanded(below) for title, below in nav.items()}
    if isinstance(nav, list):
        return [expanded(entry) for entry in nav]
    if not nav.endswith("/"):
        return nav
    names = sorted(path.name for path in (ROOT / DOCS / nav).glob("*.md"))
    return [nav + name for name in sorted(names, key=lambda name: name != "README.md")]


def pages(nav: Any) -> list[str]:
    """Return the pages that a nav names, in its order."""
    if isinstance(nav, str):
        return [nav]
    entries = nav.values() if isinstance(nav, dict) else nav
    return [page for entry in entries for page in pages(entry)]


def outside(nav: Any) -> dict[str, Path]:
    """Return the pages that are files of the repository and not of docs/, by their URI.

    Raises:
        FileNotFoundError: a page is in neither.
    """
    there = {page: ROOT / page for page in pages(nav) if not (ROOT / DOCS / page).is_file()}
    missing = [page for page, path in there.items() if not path.is_file()]
    if missing:
        raise FileNotFoundError(f"mkdocs.yml's nav: {', '.join(missing)}")
    return there
