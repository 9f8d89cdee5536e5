"""What commands share: two consoles, a progress bar, and errors turned into exit codes."""

import errno
import functools
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from edgesq.errors import EdgesqError

EXIT_SAME, EXIT_DIFFERENT, EXIT_BUG, EXIT_INTERRUPTED = 0, 1, 70, 130

_REFUSED_BY_SYSTEM = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}
"""No permission or no room to write: nothing that we could have known, or that is our bug."""

P = ParamSpec("P")
R = TypeVar("R")

_FILE_COLUMNS = 120


class _Output(Console):
    def on_broken_pipe(self) -> None:
        """Go on in silence when whoever read has ended, so that the exit code stays true."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


out = _Output(highlight=False, width=None if sys.stdout.isatty() else _FILE_COLUMNS)
"""Results, on standard output."""

# A duplicate of standard error: bars go on while native libraries' output is captured.
err = Console(file=os.fdopen(os.dup(2), "w"), highlight=False)
"""Progress and errors."""


def table(title: str | None, left: Sequence[str], right: Sequence[str] = ()) -> Table:
    """Return an empty table: columns of text, then columns of numbers."""
    made = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE, pad_edge=False)
    for name in left:
        made.add_column(name, overflow="fold")
    for name in right:
        made.add_column(name, justify="right", no_wrap=True)
    return made


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
            if isinstance(error, OSError) and error.errno in _REFUSED_BY_SYSTEM:
                where, hint = error.filename, "make room, or choose another place"
                print_error(EdgesqError(str(error.strerror), where=where, hint=hint))
                raise typer.Exit(EdgesqError.exit_code) from error
            traceback.print_exc()
            err.print("[bold red]This is a bug of edgesq.[/] Please report it with the text above.")
            raise typer.Exit(EXIT_BUG) from None

    return wrapped


def print_error(error: EdgesqError) -> None:
    """Print an error on one line: where, what, what to try."""
    where = f"{escape(error.where)}: " if error.where else ""
    hint = f" [dim]({escape(error.hint)})[/]" if error.hint else ""
    message = " ".join(error.message.split())
    err.print(f"[bold red]error:[/] {where}{escape(message)}{hint}", soft_wrap=True)


def _progress(*columns: ProgressColumn) -> Progress:
    """Return a bar that leaves no trace, not even an empty line in a file."""
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


@contextmanager
def stages(total: int) -> Iterator[Callable[[str], None]]:
    """Show a bar over `total` stages; yields the function that names the next one."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with _progress(*columns) as progress:
        task = progress.add_task("", total=total, completed=-1)

        def begin(what: str) -> None:
            progress.update(task, advance=1, description=what)

        yield begin


@contextmanager
def counter(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar with an estimate; yields the function to call with (done, total)."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with _progress(*columns) as progress:
        task = progress.add_task(what, total=None)

        def update(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield update
