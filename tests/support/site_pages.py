"""HTML of the documentation's site: what a page links to, loads, and can be linked to at."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

LOADED = {
    ("audio", "src"),
    ("iframe", "src"),
    ("img", "src"),
    ("link", "href"),
    ("script", "src"),
    ("source", "src"),
    ("video", "src"),
}
"""Tags and attributes for which a browser asks without being told to."""


@dataclass
class HtmlPage(HTMLParser):
    """One page.

    Attributes:
        path: its file.
        links: where its `a` lead.
        loaded: what a browser fetches to show it.
        ids: its anchors.
    """

    path: Path
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what a tag refers to."""
        for name, value in attrs:
            if (tag, name) == ("a", "href"):
                self.links.append(value or "")
            elif (tag, name) in LOADED:
                self.loaded.append(value or "")
            elif name == "id":
                self.ids.add(value or "")


def pages_of(site: Path) -> dict[Path, HtmlPage]:
    """Return all pages of a built site, but the one that a web server shows for missing ones."""
    found = (path for path in site.rglob("*.html") if path.name != "404.html")
    return {path: HtmlPage(path) for path in sorted(found)}
