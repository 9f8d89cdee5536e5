"""The whole ladder on 5,000 random networks, and boards on some of them."""

import os
import tempfile
import time
from collections.abc import Iterator
from concurrent import futures
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from edgesq.formats.tflite import read_graph
from soak.figure import Figure
from support.crun import Runtime
from support.emulated_cases import Case, differing
from support.graph_ladder import fault
from support.networks import images
from support.random_graphs import draw_graphs

GRAPHS, AT_ONCE, FIRST_SEED = 5_000, 125, 1_000
BOARDS = ("mps2-an386", "mps2-an500", "mps3-an547")
ON_A_BOARD = 100
ON_BOARDS_S = 90
"""What is left of a part's time for the boards."""


def run(seconds: float) -> list[Figure]:
    """Hold the ladder, on every core but at most 4, for at most `seconds`."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="edgesq-graphs-") as scratch:
        verdicts = list(_on_this_computer(Path(scratch), seconds - ON_BOARDS_S))
        held = round(time.monotonic() - begun)
        boards = list(_on_boards(Path(scratch)))
    done, found = AT_ONCE * len(verdicts), [verdict for verdict in verdicts if verdict]
    goal = f"at least {GRAPHS:,}"
    return [
        Figure("networks on the ladder", done, goal, done >= GRAPHS),
        Figure("networks on which it breaks", len(found), "0", not found),
        *(Figure("the smallest of them", problem, "", False) for problem in found),
        Figure("seconds of that", held),
        *boards,
    ]


def _on_this_computer(scratch: Path, seconds: float) -> Iterator[str | None]:
    """Yield what is wrong with each AT_ONCE networks, None where nothing is, until time is up."""
    (scratch / "runtime").mkdir()
    runtime = Runtime(scratch / "runtime")
    seeds = range(FIRST_SEED, FIRST_SEED + GRAPHS // AT_ONCE)
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        jobs = [pool.submit(_hold, runtime, scratch, number) for number in seeds]
        try:
            for job in as_completed(jobs, timeout=seconds):
                yield job.result()
        except futures.TimeoutError:
            pool.shutdown(cancel_futures=True)


def _hold(runtime: Runtime, scratch: Path, number: int) -> str | None:
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        return fault(runtime, Path(folder), AT_ONCE, number)


def _on_boards(scratch: Path) -> Iterator[Figure]:
    """Yield how many networks each board computes otherwise than the reference."""
    for place, board in enumerate(BOARDS):
        cases = []
        for one in draw_graphs(ON_A_BOARD, FIRST_SEED - 1 - place):
            graph = read_graph(one.content)
            inputs = images(graph.tensors[graph.input].hwc, 1)
            cases.append(Case(one.source, graph, inputs, one.band))
        folder = scratch / board
        folder.mkdir()
        wrong = differing(folder, board, cases)
        name = f"networks wrong on {board}, of {len(cases)}"
        yield Figure(name, len(wrong), "0", not wrong)
        yield from (Figure("one of them", source, "", False) for source in wrong)
