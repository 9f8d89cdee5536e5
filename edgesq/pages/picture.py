"""Pictures as SVG: marks are collected, and written into a page or into a file of their own.

A picture in a page takes the page's colours; one in a file brings them along, also for dark mode.
Text may come from anybody's model: what XML cannot hold is replaced, the rest is escaped.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from edgesq.files import write_output

Anchor = Literal["start", "middle", "end"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAX_TITLE = 320
_NAMESPACE = "http://www.w3.org/2000/svg"


@cache
def style(name: str) -> str:
    """Return one of the style sheets of this room, "colours", "page" or "pictures"."""
    return (files("edgesq.pages") / f"{name}.css").read_text(encoding="utf-8")


@dataclass(frozen=True, eq=False)
class Picture:
    """A finished picture.

    Attributes:
        width: in pixels at which its text has its size.
        height: likewise.
        label: what it shows, for who cannot see it.
        root: its svg element.
    """

    width: float
    height: float
    label: str
    root: ElementTree.Element

    def __str__(self) -> str:
        """Return it for a page that holds this room's style sheets."""
        return ElementTree.tostring(self.root, encoding="unicode")

    __html__ = __str__
    """What templates ask of that which is HTML already."""

    def file(self) -> str:
        """Return it as the text of an SVG file, which needs nothing else."""
        head, end, marks = str(self).partition(">")
        sheet = f"<style>{style('colours')}{style('pictures')}</style>"
        paper = '<rect class="paper" width="100%" height="100%" />'
        return f'{head} xmlns="{_NAMESPACE}"{end}{sheet}{paper}{marks}\n'

    def write(self, path: Path) -> None:
        """Write it as an SVG file, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        write_output(path, self.file())

    def as_img(self) -> str:
        """Return an HTML img element that holds it, for pages whose style is somebody else's."""
        data = base64.b64encode(self.file().encode()).decode()
        alt = ElementTree.Element("img", src=f"data:image/svg+xml;base64,{data}", alt=self.label)
        alt.set("style", f"width:100%;max-width:{self.width:.0f}px")
        return ElementTree.tostring(alt, encoding="unicode")

    def _repr_svg_(self) -> str:
        return self.file()


class Drawing:
    """Collects the marks of a picture; lengths are pixels, y goes down.

    A mark's class is one of `pictures.css`; its title is shown where the pointer rests on it.

    Args:
        width: of the picture.
        height: of the picture.
        label: what it shows.
    """

    def __init__(self, width: float, height: float, label: str) -> None:
        self.width, self.height, self.label = width, height, clean(label)
        self._root = ElementTree.Element(
            "svg",
            {
                "class": "esq",
                "width": _number(width),
                "height": _number(height),
                "viewBox": f"0 0 {_number(width)} {_number(height)}",
                "role": "img",
                "aria-label": self.label,
            },
        )

    def picture(self) -> Picture:
        """Return what was drawn."""
        return Picture(self.width, self.height, self.label, self._root)

    def rect(
        self, x: float, y: float, width: float, height: float, kind: str, title: str = ""
    ) -> None:
        """Draw a rectangle."""
        self._mark("rect", kind, title, x=x, y=y, width=width, height=height)

    def circle(self, x: float, y: float, radius: float, kind: str, title: str = "") -> None:
        """Draw a circle."""
        self._mark("circle", kind, title, cx=x, cy=y, r=radius)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """Draw a straight line."""
        self._mark("line", kind, "", x1=x1, y1=y1, x2=x2, y2=y2)

    def through(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """Draw lines from point to point."""
        places = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        self._mark("polyline", kind, "").set("points", places)

    def path(self, commands: str, kind: str, title: str = "") -> None:
        """Draw what SVG's path commands say."""
        self._mark("path", kind, title).set("d", commands)

    def text(
        self, x: float, y: float, words: str, kind: str = "", anchor: Anchor = "start"
    ) -> None:
        """Write words; y is their base line."""
        mark = self._mark("text", kind, "", x=x, y=y)
        if anchor != "start":
            mark.set("text-anchor", anchor)
        mark.text = clean(words)

    def _mark(self, tag: str, kind: str, title: str, **places: float) -> ElementTree.Element:
        attributes = {name: _number(value) for name, value in places.items()}
        mark = ElementTree.SubElement(self._root, tag, attributes)
        if kind:
            mark.set("class", kind)
        if title:
            ElementTree.SubElement(mark, "title").text = clean(shortened(title, _MAX_TITLE))
        return mark


def clean(text: str) -> str:
    """Return text with U+FFFD for each character that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


def shortened(text: str, most: int) -> str:
    """Return text of at most so many characters, its middle left out where it has more."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2 - 1]}…{text[len(text) - (most - most // 2) :]}"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
