"""Links that hold on a forge, turned into such as hold in the site."""

import os
import re
from pathlib import Path, PurePosixPath

from generate.places import DOCS, ROOT

_CODE = re.compile(r"(^ *```.*?^ *```|`[^`\n]*`)", re.M | re.S)
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def turned(text: str, uri: str, source: Path, uris: set[str]) -> str:
    """Return a page with its links as the site has them.

    A link to the repository's README leads to the site's first page. A link to what the site does
    not have (a source file) keeps its words only.

    Args:
        text: Markdown whose links are relative to `source`.
        uri: of the page in the site.
        source: its file.
        uris: of all files of the site.
    """
    here = source.parent.relative_to(ROOT)

    def replace(found: re.Match[str]) -> str:
        mark, words, link = found.groups()
        target, hash_mark, anchor = link.partition("#")
        if not target or ":" in target:
            return found[0]
        place = os.path.normpath(here / target)
        there = "README.md" if place in ("README.md", DOCS) else place.removeprefix(f"{DOCS}/")
        if there not in uris and (ROOT / place).exists():
            return words
        relative = os.path.relpath(there, PurePosixPath(uri).parent)
        return f"{mark}[{words}]({relative}{hash_mark}{anchor})"

    parts = _CODE.split(text)
    return "".join(
        part if index % 2 else _LINK.sub(replace, part) for index, part in enumerate(parts)
    )
