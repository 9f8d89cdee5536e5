"""One trial, wherever it runs: plan first, and train only what fits."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from edgesq.calibrate import Preprocessing
from edgesq.errors import EdgesqError
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Graph
from edgesq.search.front import Rival, bar_for
from edgesq.search.images import Images
from edgesq.search.planning import linked, misses, over, planned, settled
from edgesq.search.records import Limits, Needed, Outcome, Params, State, Training
from edgesq.search.space import Space
from edgesq.search.train import Trained
from edgesq.targets import Target

_MAX_WHY = 300

Trainer = Callable[[Space, Params, Images, Training, Sequence[float]], Trained]


@dataclass(frozen=True)
class Task:
    """What a worker needs, besides the images, for one trial; it is pickled.

    Attributes:
        number: of the trial.
        params: its metaparameters.
        space: makes its network.
        board: that it is for.
        limits: what it may take.
        training: how it is trained.
        against: trials that it must not be far behind.
        trainer: trains it.
        compiles: whether to ask the linker what the trained network takes.
    """

    number: int
    params: Params
    space: Space
    board: Target
    limits: Limits
    training: Training
    against: tuple[Rival, ...]
    trainer: Trainer
    compiles: bool


@dataclass(frozen=True)
class Result:
    """What a worker returns.

    Attributes:
        outcome: what became of the candidate.
        content: its int8 .tflite; empty where it was not trained.
    """

    outcome: Outcome
    content: bytes = b""


def plan_trial(task: Task) -> Outcome:
    """Plan a candidate; `dropped` where it does not fit, `trained` where it may be."""
    begun = time.monotonic()
    try:
        graph = task.space.graph(task.params)
        needed, chosen = planned(graph, task.board, task.limits)
        if task.compiles:
            needed = settled(needed, graph, chosen, task.board, task.limits)
    except EdgesqError as error:
        return Outcome("failed", why=str(error), plan_s=time.monotonic() - begun)
    parts = over(needed, task.board, task.limits)
    why = misses(needed, parts, task.board, task.limits)
    state: State = "dropped" if why else "trained"
    seconds = time.monotonic() - begun
    return Outcome(state, needed, parts, why, plan_s=seconds)


def train_trial(task: Task, outcome: Outcome, images: Images) -> Result:
    """Train a candidate that fits, and say what it takes and how good it is."""
    begun = time.monotonic()
    try:
        bar = bar_for(outcome.planned, task.against) if outcome.planned else ()
        trained = task.trainer(task.space, task.params, images, task.training, bar)
        graph = read_graph(trained.content, f"trial {task.number}")
        needed = _needed(graph, task)
        right = _right(trained.content, graph, images)
    except (Exception, SystemExit) as error:  # of a space of one's own, whatever TensorFlow likes
        said = str(error) if isinstance(error, EdgesqError) else f"{type(error).__name__}: {error}"
        why = " ".join(said.split())[:_MAX_WHY]
        seconds = time.monotonic() - begun
        return Result(replace(outcome, state="failed", why=why, train_s=seconds))
    parts = over(needed, task.board, task.limits)
    why = misses(needed, parts, task.board, task.limits)
    state: State = "stopped" if trained.is_stopped else "dropped" if why else "trained"
    found = replace(
        outcome,
        state=state,
        over=parts,
        why=why,
        needed=needed,
        accuracy=right / len(images.heldout),
        images=len(images.heldout),
        curve=trained.curve,
        train_s=time.monotonic() - begun,
    )
    return Result(found, trained.content)


def _needed(graph: Graph, task: Task) -> Needed:
    """Return what the trained network takes: by the linker, where there is one."""
    needed, chosen = planned(graph, task.board, task.limits)
    if not task.compiles:
        return needed
    if any(part > 0 for part in over(needed, task.board, task.limits).values()):
        return settled(needed, graph, chosen, task.board, task.limits)
    return linked(needed, graph, chosen, task.board)


def _right(content: bytes, graph: Graph, images: Images) -> int:
    """Return how many of the images held out the int8 model puts into their class."""
    tensor = graph.tensors[graph.input]
    inputs = Preprocessing().to_int8(images.heldout, tensor.scale, tensor.zero_point)
    scores = ReferenceInterpreter(content).tensors(inputs, (graph.scores,))[0]
    return int((scores.argmax(axis=1) == images.heldout_labels).sum())
