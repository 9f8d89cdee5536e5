"""The C API: declarations of the public headers, each under the comment that stands before it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from generate.markdown import plain
from generate.places import ROOT

INCLUDE = ROOT / "firmware" / "include"

_SKIPPED = re.compile(
    r'#include.*|#ifdef __cplusplus\n(?:extern "C" \{|\})\n#endif|#(?:ifndef|define) \w+_H|#endif'
)
_COMMENT = re.compile(r"/\*(.*?)\*/", re.S)


@dataclass(frozen=True)
class Declaration:
    """One or several declarations that stand together.

    Attributes:
        comment: what is said of them.
        text: the C, comments inside kept.
    """

    comment: str
    text: str


def header(name: str) -> str:
    """Return a header of firmware/include: what it is for, then its declarations.

    Args:
        name: of the file.
    """
    return described((INCLUDE / name).read_text())


def described(text: str) -> str:
    """Return the text of a header as Markdown."""
    first, *rest = declarations(text)
    parts = [first.comment, *(_shown(one) for one in rest)]
    if first.text:
        parts.insert(1, f"```c\n{first.text}\n```")
    return "\n\n".join(parts) + "\n"


def _shown(one: Declaration) -> str:
    return f"```c\n{one.text}\n```\n\n{one.comment}".rstrip()


def declarations(text: str) -> Iterator[Declaration]:
    """Yield what stands between empty lines: a comment, and the C below it."""
    for part in re.split(r"\n\s*\n(?=\S)", text):
        block = _SKIPPED.sub("", part).strip()
        while block:
            found = _COMMENT.match(block)
            comment = _sentences(found[1]) if found else ""
            block = block[found.end() :].lstrip("\n") if found else block
            following = re.search(r"^/\*", block, re.M)
            cut = following.start() if following else len(block)
            body, block = block[:cut].strip("\n"), block[cut:]
            if comment or body:
                yield Declaration(comment, body)


def _sentences(comment: str) -> str:
    """Return a comment as Markdown; lines that are indented stay as they are."""
    lines = [re.sub(r"^ ?\* ?", "", line) for line in comment.splitlines()]
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines).strip())
    return "\n\n".join(map(_paragraph, paragraphs))


def _paragraph(text: str) -> str:
    if re.search(r"^  ", text, re.M):
        return f"```text\n{text}\n```"
    return plain(" ".join(text.split()))
