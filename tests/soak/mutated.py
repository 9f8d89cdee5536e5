"""What damaged models and folders come to, kind by kind; see `mutants`."""

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent import futures
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from soak.figure import Figure
from support.crun import Runtime
from support.mutants import ladder
from support.mutants.supervise import supervise
from support.mutants.work import FAULTS, KEPT, Outcome, Verdict
from support.paths import ROOT

BUILD = ROOT / "build" / "mutants"
"""Mutants with a fault stay in KIND/faults below it."""

IN_C_SHARE = 0.2
"""Of a part's time, for what is accepted to be compiled and run."""

_PROCESSES = min(4, os.cpu_count() or 1)
_SHOWN, _LETTERS = 20, 150


def figures(kind: str, count: int, seconds: float) -> list[Figure]:
    """Try mutants 0 to `count` of a kind, on every core but at most 4, for at most `seconds`."""
    folder, begun = BUILD / kind, time.monotonic()
    verdicts = list(
        supervise(kind, range(count), _PROCESSES, seconds * (1 - IN_C_SHARE), fresh(folder))
    )
    held = time.monotonic() - begun
    done = len(verdicts)
    found = [
        Figure(f"damaged {kind}", done, f"at least {count:,}", done >= count),
        *_outcomes(verdicts),
        Figure("seconds of that", round(held)),
        Figure("slowest of them, seconds", round(max(one.seconds for one in verdicts), 1)),
        Figure("peak memory, MiB", max(one.peak_bytes for one in verdicts) >> 20),
        *_in_c(folder, seconds - held),
        *_shown(verdicts),
    ]
    shutil.rmtree(folder / KEPT)
    return found


def fresh(folder: Path) -> Path:
    """Return a folder without what an earlier run left."""
    for name in (KEPT, FAULTS, "log"):
        shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _outcomes(verdicts: Iterable[Verdict]) -> Iterator[Figure]:
    counts = Counter(one.outcome for one in verdicts)
    for outcome in Outcome:
        good = outcome in (Outcome.REFUSED, Outcome.ACCEPTED)
        number = counts[outcome]
        yield Figure(outcome.value, number, "" if good else "0", good or not number)


def _shown(verdicts: Iterable[Verdict]) -> Iterator[Figure]:
    for one in [one for one in verdicts if one.is_fault][:_SHOWN]:
        said = f"{one.outcome.value}: {one.said[-_LETTERS:]}"
        yield Figure(f"number {one.number}", said, "", False)


def _in_c(folder: Path, seconds: float) -> Iterator[Figure]:
    """Yield how many of the accepted models C computes otherwise than BUILTIN_REF."""
    place = folder / "c"
    shutil.rmtree(place, ignore_errors=True)
    (place / "runtime").mkdir(parents=True)
    runtime, batches = Runtime(place / "runtime"), ladder.batches(folder / KEPT)
    wrong: dict[Path, str] = {}
    done = 0
    with ProcessPoolExecutor(_PROCESSES) as pool:
        jobs = {
            pool.submit(ladder.differing, batch, runtime, place / str(number)): len(batch)
            for number, batch in enumerate(batches)
        }
        try:
            for job in as_completed(jobs, timeout=seconds):
                wrong |= job.result()
                done += jobs[job]
        except futures.TimeoutError:
            pool.shutdown(cancel_futures=True)
    total = sum(map(len, batches))
    goal = f"all {total:,}"
    yield Figure("accepted models unlike one another, run in C", done, goal, done == total)
    yield Figure("of these, C differs from BUILTIN_REF", len(wrong), "0", not wrong)
    for path, problem in list(wrong.items())[:_SHOWN]:
        yield Figure(f"number {path.name}", problem, "", False)
    shutil.rmtree(place)
