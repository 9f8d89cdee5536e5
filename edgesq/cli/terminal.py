"""What commands share: two consoles, progress, and errors turned into exit codes.

Strings are shown as they are: no markup is read in them, and nothing that a terminal would obey
leaves the consoles. What is to be coloured is a `Text`, made by `styled`.
"""

import contextlib
import errno
import functools
import json
import os
import shlex
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from edgesq.api.progress import OnProgress, Progress
from edgesq.choices import DEFAULT_BUILD
from edgesq.errors import EdgesqError, printable
from edgesq.files import check_output, write_output
from edgesq.markup import Table as Shown

STDOUT = "-"
EXIT_SAME, EXIT_DIFFERENT, EXIT_BUG, EXIT_INTERRUPTED = 0, 1, 70, 130

P = ParamSpec("P")
R = TypeVar("R")

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FILE_COLUMNS = 120
_MAX_CELL = 60
"""Characters that a column of numbers may need on one line: more would squeeze others out."""
_QUIET_S = 10.0
"""Between two lines of a counter, where no terminal is."""


class _Console(Console):
    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Take a string for what it says."""
        return super().render_str(printable(text), **options)

    def on_broken_pipe(self) -> None:
        """Go on in silence when whoever read has ended, so that the exit code stays true."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def styled(text: str, style: str) -> Text:
    """Return a text in a style of Rich's, as "bold red"."""
    return Text(printable(text), style)


class _Errors(_Console):
    def print(self, *objects: Any, **options: Any) -> None:
        """Print; where that is not to be had, the exit code still says how it went."""
        with contextlib.suppress(OSError):
            super().print(*objects, **options)


def _standard_error() -> IO[str]:
    """Return a duplicate: progress goes on while native libraries' output is captured."""
    try:
        return os.fdopen(os.dup(2), "w", errors="backslashreplace")
    except OSError:  # it is closed
        return Path(os.devnull).open("w")


out = _Console(width=None if sys.stdout and sys.stdout.isatty() else _FILE_COLUMNS)
"""Results, on standard output."""

err = _Errors(file=_standard_error())
"""Progress and errors."""


def say(*parts: str | Text, to: Console = out) -> None:
    """Print one line, however long, of texts put together."""
    to.print(
        Text.assemble(*(printable(one) if isinstance(one, str) else one for one in parts)),
        soft_wrap=True,
    )


def shell(*words: str | Path) -> str:
    """Return a command as a shell takes it, on one line that a terminal can show."""
    return " ".join(_quoted(str(word)) for word in words)


def _quoted(word: str) -> str:
    if printable(word) == word:
        return shlex.quote(word)
    shown = "".join(_byte(value) for value in os.fsencode(word))
    return f"$'{shown}'"


def _byte(value: int) -> str:
    """Return a byte as it is between $' and '."""
    plain = 0x20 <= value < 0x7F and chr(value) not in "\\'"
    return chr(value) if plain else f"\\x{value:02x}"


def on_build(command: str, build: Path, *more: str) -> str:
    """Return a command of ours on a build folder, which is not named where it is the usual one."""
    option = () if build == DEFAULT_BUILD else ("--build", build)
    return shell("edgesq", command, *option, *more)


def is_stdout(path: Path | None) -> bool:
    """Say whether a JSON document goes to standard output, where nothing else belongs then."""
    return str(path) == STDOUT


def check_json(path: Path | None) -> None:
    """Refuse a `--json` that could not be written after the work.

    Raises:
        EdgesqError: it is a folder, in none, or nothing can be written there.
    """
    check_output(None if is_stdout(path) else path, "--json")


def write_json(fields: Any, path: Path) -> None:
    """Write a JSON document into a file, or onto standard output."""
    text = json.dumps(fields, indent=2)
    if is_stdout(path):
        out.file.write(f"{text}\n")
        out.file.flush()
        return
    write_output(path, f"{text}\n")
    say(f"Wrote {path}")


def table(title: str | None, left: Sequence[str], right: Sequence[str] = ()) -> Table:
    """Return an empty table: columns of text, then columns of numbers."""
    made = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE, pad_edge=False)
    for name in left:
        made.add_column(name, overflow="fold")
    for name in right:
        made.add_column(name, justify="right", no_wrap=True)
    return made


def print_table(shown: Shown) -> None:
    """Print a table of a result."""
    made = table(shown.title, shown.left, shown.right)
    for index, column in enumerate(made.columns):
        longest = max((len(str(row[index])) for row in shown.rows if index < len(row)), default=0)
        column.no_wrap = column.no_wrap and longest <= _MAX_CELL
    for row in shown.rows:
        made.add_row(*(one if isinstance(one, str) else styled(one.text, one.style) for one in row))
    out.print(made)


def command(function: Callable[P, R]) -> Callable[P, R]:
    """Turn what a command raises into a line of error and an exit code."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except EdgesqError as error:
            print_error(error)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt:
            err.print("interrupted")
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except (typer.Exit, typer.Abort):
            raise
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(EXIT_SAME) from None
        except Exception as error:
            known = _of_system(error)
            if known is not None:
                print_error(known)
                raise typer.Exit(known.exit_code) from error
            traceback.print_exc()
            say(styled("This is a bug of edgesq.", "bold red"), _REPORT_IT, to=err)
            raise typer.Exit(EXIT_BUG) from None

    return wrapped


_REPORT_IT = " Please report it with the text above."


def _of_system(error: BaseException | None) -> EdgesqError | None:
    """Return what the system refused, if that is why something was raised; else None."""
    if isinstance(error, MemoryError):
        return EdgesqError("not enough memory", hint="end other programs, or take a smaller model")
    if isinstance(error, shutil.Error) and isinstance(error.args[0], list):
        _, where, said = error.args[0][0]  # of a folder's copy, in which reasons are text alone
        return EdgesqError(
            f"cannot be copied: {said}",
            where=where,
            hint="make room, or check path and permissions",
        )
    if isinstance(error, OSError) and error.errno is not None:
        where = None if error.filename is None else os.fsdecode(str(error.filename))
        hint = "make room" if error.errno in _FULL else "check path and permissions"
        return EdgesqError(str(error.strerror), where=where, hint=hint)
    while error is not None:  # a full disk is hidden behind what closing the file raises
        if isinstance(error, OSError) and error.errno in _FULL:
            return _of_system(error)
        error = error.__context__
    return None


def print_error(error: EdgesqError) -> None:
    """Print an error on one line: where, what, what to try."""
    where = f"{error.where}: " if error.where else ""
    hint = f" ({error.hint})" if error.hint else ""
    message = " ".join(error.message.split())
    say(styled("error:", "bold red"), f" {where}{message}", styled(hint, "dim"), to=err)


@contextmanager
def _progress(*columns: ProgressColumn) -> Iterator[Bar]:
    """Yield a bar that leaves no trace, and is not shown where no terminal is."""
    bar = Bar(*columns, console=err, transient=True)
    if err.is_terminal:
        with bar:
            yield bar
    else:  # before 15, rich ends even a disabled one with an empty line
        yield bar


def _words(field: str) -> TextColumn:
    return TextColumn(f"{{task.{field}}}", markup=False)


@contextmanager
def steps() -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar over steps, or a line for each.

    Yields the function that says which begins: its number, from 1, how many there are, its name.
    """
    columns = (SpinnerColumn(), _words("description"), BarColumn(), MofNCompleteColumn())
    with _progress(*columns) as progress:
        task = progress.add_task("", total=None)

        def begin(number: int, total: int, what: str) -> None:
            what = printable(what)
            progress.update(task, completed=number - 1, total=total, description=what)
            if not err.is_terminal:
                say(f"[{number}/{total}] {what}", to=err)

        yield begin


@contextmanager
def stages(total: int) -> Iterator[Callable[[str], None]]:
    """Show steps of which there are `total` at most; yields the function that names the next."""
    begun = 0
    with steps() as show:

        def begin(what: str) -> None:
            nonlocal begun
            begun += 1
            show(begun, max(begun, total), what)

        yield begin


def show(commands: Iterable[tuple[str, ...]]) -> None:
    """Print commands as a shell takes them."""
    for command in commands:
        say(shell(*command))


@contextmanager
def shown_stages() -> Iterator[Callable[[str], None]]:
    """Show a bar over what is done; where all went well, leave the lines."""
    done: list[str] = []
    with stages(8) as on_stage:

        def begin(what: str) -> None:
            done.append(what)
            on_stage(what)

        yield begin
    for what in done:
        say(what)


@contextmanager
def counter(stage: str) -> Iterator[OnProgress]:
    """Show a bar with an estimate over images, or a line now and then; yields what is told.

    Args:
        stage: that comes first.
    """
    columns = (_words("description"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with _progress(*columns) as bar:
        task = bar.add_task(stage, total=None)
        said = time.monotonic()

        def update(now: Progress) -> None:
            nonlocal said, stage
            if now.stage != stage:
                stage = now.stage
                bar.reset(task, description=stage)
            bar.update(task, completed=now.number, total=now.total)
            if not err.is_terminal and time.monotonic() - said > _QUIET_S:
                said = time.monotonic()
                say(str(now), to=err)

        yield update
