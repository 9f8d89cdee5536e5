"""`edgesq search`."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.live import Live
from rich.table import Table

from edgesq.cli import terminal
from edgesq.errors import EdgesqError
from edgesq.search import (
    Asked,
    Limits,
    Needed,
    Row,
    StudyDocument,
    Until,
    Workers,
    export_trial,
    search,
    values_given,
)

__all__ = ["Asked", "Limits", "Workers", "export", "run", "values_given"]

_SHOWN = 14
_SECONDS_PER_HOUR = 3_600


def run(
    out: Path,
    asked: Asked,
    workers: Workers,
    trials: int | None,
    hours: float | None,
    *,
    resume: bool,
) -> None:
    """Search, and show trials as they end and the front at last."""
    until = None
    if trials is not None or hours is not None:
        until = Until(trials, None if hours is None else hours * _SECONDS_PER_HOUR)
    with _live() as on_row:
        document = search(out, asked, until, workers, on_row, resume=resume)
    terminal.out.print(_front(document))
    own = [row.outcome for row in document.rows if row.same_as is None]
    dropped = sum(one.accuracy is None and one.state == "dropped" for one in own)
    failed = sum(one.state == "failed" for one in own)
    trained = sum(one.accuracy is not None for one in own)
    more = f", {failed:,} failed" if failed else ""
    terminal.say(f"{trained:,} candidates were trained, {dropped:,} dropped before that{more}")
    firsts = map(str, document.front[:1])
    nexts = (f" Next: {terminal.shell('edgesq', 'search', '--export', out, one)}" for one in firsts)
    terminal.say(f"Wrote {out / 'study.html'}.{''.join(nexts)}")


def export(study: Path, number: int, out: Path | None, storage: str | None) -> None:
    """Write the build of a trial, and hold its sizes against what the study said."""
    with terminal.steps() as show:
        made = export_trial(
            study, number, out, lambda stage: show(stage.number, stage.total, str(stage)), storage
        )
    table = terminal.table(f"trial {number}", [""], ["the study", "this build"])
    said = made.said
    known = said.is_linked
    table.add_row("accuracy, int8", f"{made.row.outcome.accuracy:.2%}", "")
    table.add_row("RAM", _bytes(said.ram_bytes, known), _bytes(made.ram_bytes))
    table.add_row("flash", _bytes(said.flash_bytes, known), _bytes(made.flash_bytes))
    table.add_row("arena", _bytes(said.arena_bytes), _bytes(made.arena_bytes))
    terminal.out.print(table)
    if not made.is_as_said:
        raise EdgesqError(
            "takes another number of bytes than the study said",
            where=str(made.out),
            hint="another compiler, or another version of edgesq",
        )
    terminal.say(f"Wrote {made.out}. Next: {terminal.on_build('flash', made.out)}")


def _bytes(size: int | None, is_exact: bool = True) -> str:
    return "not compiled" if size is None else f"{'' if is_exact else 'at most '}{size:,}"


@contextmanager
def _live() -> Iterator[Callable[[Row], None]]:
    """Show the last trials in a table, or a line of each that was trained."""
    last: deque[Row] = deque(maxlen=_SHOWN)
    counts = {"dropped": 0, "trained": 0, "stopped": 0, "failed": 0}
    with Live(console=terminal.err, transient=True, auto_refresh=False) as live:

        def on_row(row: Row) -> None:
            counts[row.outcome.state] += row.same_as is None
            last.append(row)
            if terminal.err.is_terminal:
                live.update(_trials(last, counts), refresh=True)
            elif row.outcome.state in ("trained", "failed") and row.same_as is None:
                terminal.say(" ".join(_words(row)), to=terminal.err)

        yield on_row


def _trials(rows: "deque[Row]", counts: dict[str, int]) -> Table:
    said = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)
    table = terminal.table(said, ["trial", "state"], ["RAM", "flash", "ms", "accuracy"])
    for row in rows:
        style = {"dropped": "dim", "failed": "red"}.get(row.outcome.state)
        table.add_row(*_cells(row), style=style)
    return table


def _cells(row: Row) -> tuple[str, ...]:
    outcome = row.outcome
    state = outcome.state if row.same_as is None else f"as {row.same_as}"
    needed = outcome.needed or outcome.planned
    share = "" if outcome.accuracy is None else f"{outcome.accuracy:.1%}"
    return (str(row.number), state, *_takes(needed), share)


def _takes(needed: Needed | None) -> tuple[str, str, str]:
    if needed is None:
        return "", "", ""
    ms = "" if needed.ms is None else f"{needed.ms:,.1f}"
    return f"{needed.ram_bytes:,}", f"{needed.flash_bytes:,}", ms


def _words(row: Row) -> tuple[str, ...]:
    number, state, ram, flash, ms, share = _cells(row)
    if row.outcome.state == "failed":
        return (f"trial {number}: failed,", row.outcome.why)
    time = f", {ms} ms" if ms else ""
    return (f"trial {number}: {state}, {share}, RAM {ram} B, flash {flash} B{time}",)


def _front(document: StudyDocument) -> Table:
    linked = all(row.outcome.needed and row.outcome.needed.is_linked for row in _on(document))
    how = "from the linker" if linked else "at most (not compiled)"
    table = terminal.table(
        f"the front: no other network is better at everything; RAM and flash {how}",
        ["trial"],
        ["accuracy", "RAM", "flash", "M instructions", "ms"],
    )
    for row in _on(document):
        needed = row.outcome.needed
        assert needed is not None
        ram, flash, ms = _takes(needed)
        millions = f"{needed.instructions / 1e6:,.2f}"
        table.add_row(str(row.number), f"{row.outcome.accuracy:.1%}", ram, flash, millions, ms)
    return table


def _on(document: StudyDocument) -> list[Row]:
    return [row for number in document.front if (row := document.row(number))]
