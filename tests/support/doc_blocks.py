"""Blocks of code in a page of Markdown, and what marks that no reader sees say of them.

A mark is an HTML comment on the lines before a block:

    <!-- not run: needs a Nucleo board -->    the block is not run, for this reason
    <!-- ends with 1 -->                      exit code of the commands of a console block
    <!-- compile with: -I lib/include -->     options for the compiler, of a block of C
    <!-- run: cp -r $EDGESQ/photos . -->      commands of its own, which readers do not need
    <!-- in a checkout -->                    the page's folder is a checkout, with no environment
"""

import re
from dataclasses import dataclass
from pathlib import Path

RUN = ("sh", "console", "python", "c", "cpp")
"""Languages that are run, or compiled."""

READ = ("json", "toml", "yaml")
"""Languages that are parsed."""

HIDDEN = "run"
CHECKOUT = "in a checkout"
NOT_RUN = "not run"

_PART = re.compile(
    r"^(?P<indent> *)<!-- (?P<mark>[^\n]*?|run:.*?) -->$"
    r"|^(?P<at> *)```(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=at)```$",
    re.M | re.S,
)
_KNOWN = re.compile(
    rf"({NOT_RUN}: .+|ends with \d+|compile with: .+|{CHECKOUT}|{HIDDEN}: .+|made: \S+)\Z", re.S
)


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        page: its file.
        line: of its fence.
        language: what the fence says; HIDDEN for commands in a mark.
        text: without the fence and its indentation.
        not_run: why it is not run; None where it is.
        exit_code: of its commands.
        options: for the compiler.
    """

    page: Path
    line: int
    language: str
    text: str
    not_run: str | None = None
    exit_code: int = 0
    options: str = ""

    @property
    def is_run(self) -> bool:
        """Whether it is run or compiled."""
        return self.not_run is None and self.language in (*RUN, HIDDEN)

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Document:
    """A page's blocks, in their order.

    Attributes:
        page: its file.
        in_checkout: whether its commands are run in a checkout.
        blocks: of it.
    """

    page: Path
    in_checkout: bool
    blocks: tuple[Block, ...]


def read_document(page: Path) -> Document:
    """Return the blocks of a page.

    Raises:
        ValueError: a mark is none that is known, or stands before no block.
    """
    text, marks, blocks, end = page.read_text(), list[str](), list[Block](), 0
    in_checkout = False
    for found in _PART.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if text[end : found.start()].strip() and marks:
            raise ValueError(f"{page}:{line}: '{marks[-1]}' stands before no block")
        end, mark = found.end(), found["mark"]
        if mark is None:
            blocks.append(_block(page, line, found, marks))
            marks = []
        elif not _KNOWN.match(mark):
            raise ValueError(f"{page}:{line}: unknown mark '{mark}'")
        elif mark == CHECKOUT:
            in_checkout = True
        elif mark.startswith(f"{HIDDEN}: "):
            blocks.append(Block(page, line, HIDDEN, mark.partition(": ")[2]))
        elif not mark.startswith("made: "):
            marks.append(mark)
    if marks:
        raise ValueError(f"{page}: '{marks[-1]}' stands before no block")
    return Document(page, in_checkout, tuple(blocks))


def _block(page: Path, line: int, found: re.Match[str], marks: list[str]) -> Block:
    said = dict(mark.split(": ", 1) for mark in marks if ": " in mark)
    codes = [int(mark.rpartition(" ")[2]) for mark in marks if mark.startswith("ends with")]
    indent = found["at"]
    lines = [text.removeprefix(indent) for text in found["text"].splitlines(keepends=True)]
    return Block(
        page,
        line,
        found["language"].split()[0] if found["language"].strip() else "",
        "".join(lines),
        said.get(NOT_RUN),
        codes[0] if codes else 0,
        said.get("compile with", ""),
    )


@dataclass(frozen=True)
class Command:
    """A command of a console block.

    Attributes:
        text: behind the prompt `$ `; lines that go on with `> ` included.
        output: the lines below, up to the next prompt.
    """

    text: str
    output: str


def commands_of(block: Block) -> list[Command]:
    """Return the commands of a console block.

    Raises:
        ValueError: it begins with no command.
    """
    found: list[tuple[list[str], list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif not found:
            raise ValueError(f"{block.place}: a console block begins with '$ '")
        elif line.startswith("> ") and not found[-1][1]:
            found[-1][0].append(line[2:])
        else:
            found[-1][1].append(line)
    return [Command("\n".join(text), "\n".join(output)) for text, output in found]


def shows(expected: str, printed: str) -> bool:
    """Return whether a command printed what a page shows.

    A line `...` stands for any lines, `...` within a line for any text of it. How many blanks there
    are does not count, as tables are as wide as what stands in them; nor do blanks at the ends of
    lines, and empty lines at both ends of the whole.
    """
    lines = [re.sub(" +", " ", line) for line in expected.strip("\n").splitlines()]
    pattern = ""
    for line in lines:
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*?".join(map(re.escape, line.rstrip().split("..."))) + r"\n"
    text = "".join(f"{re.sub(' +', ' ', line).rstrip()}\n" for line in printed.splitlines())
    return re.fullmatch(r"\n*" + pattern + r"\n*", text) is not None
