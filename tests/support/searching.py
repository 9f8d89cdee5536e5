"""A space and a trainer that take milliseconds, for worker processes of searches under test."""

import os
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.search.engine import Engine, ImageStore
from edgesq.search.folder import StudyFolder
from edgesq.search.front import bar_for
from edgesq.search.images import Images
from edgesq.search.planning import misses, over
from edgesq.search.records import (
    Limits,
    Needed,
    Outcome,
    Params,
    Row,
    Settings,
    State,
    Training,
    Value,
)
from edgesq.search.run import Study, Until, run
from edgesq.search.space import Space
from edgesq.search.train import Trained
from edgesq.search.trial import Result, Task
from edgesq.targets import load_target
from support.networks import Network

CLASSES = 3
SIDE = 8


@dataclass(frozen=True)
class TinySpace:
    """Networks of one convolution.

    Attributes:
        widths: channels from and to.
        crash: file that the first training removes, and its process with it; none where empty.
    """

    widths: tuple[int, int] = (1, 199)
    crash: str = ""

    def suggest(self, trial: Any) -> Params:
        return {
            "width": trial.suggest_int("width", *self.widths),
            "size": trial.suggest_int("size", 1, 3),
        }

    def first(self) -> tuple[Params, ...]:
        return ()

    def side(self, params: Params) -> int:
        del params
        return SIDE

    def graph(self, params: Params) -> Graph:
        return read_graph(network(params), "tiny")

    def model(self, params: Params) -> Any:
        raise NotImplementedError

    def finished(self, params: Params, trained: Any) -> Any:
        raise NotImplementedError

    def taken(self, name: str, value: Value) -> Value:
        del name
        return value


def network(params: Params) -> bytes:
    """Return an int8 .tflite: convolution, mean, softmax."""
    width, size = int(params["width"] or 1), int(params["size"] or 1)
    net = Network((SIDE, SIDE, 3), (1 / 255, -128), seed=width)
    x = net.conv(net.input, width, (size, size))
    return net.build(net.softmax(net.mean(net.conv(x, CLASSES, (1, 1)))))


def fake_train(
    space: Space, params: Params, images: Images, how: Training, bar: Sequence[float]
) -> Trained:
    """Pretend: wider networks are better, up to noise that hangs on the metaparameters."""
    del images
    crash = getattr(space, "crash", "")
    if crash and Path(crash).exists():
        Path(crash).unlink()
        os._exit(9)
    time.sleep(float(os.environ.get("EDGESQ_TEST_TRAINING_S", "0")))
    noise = zlib.crc32(repr(sorted(params.items())).encode()) % 100 / 200
    best = min(1.0, 0.3 + int(params["width"] or 1) / 1000 + noise)
    curve: list[float] = []
    for epoch in range(how.epochs):
        curve.append(best * (epoch + 1) / how.epochs)
        if epoch < len(bar) and curve[-1] < bar[epoch] - 0.03:
            return Trained(network(params), tuple(curve), is_stopped=True)
    return Trained(network(params), tuple(curve), is_stopped=False)


def tiny_images() -> Images:
    """Return thirty images of noise."""
    random = np.random.default_rng(1)
    parts = [random.integers(0, 256, (count, SIDE, SIDE, 3), np.uint8) for count in (20, 5, 5)]
    labels = [np.arange(len(part), dtype=np.int64) % CLASSES for part in parts]
    return Images(parts[0], labels[0], parts[1], labels[1], parts[2], labels[2])


def tiny_study(
    folder: StudyFolder,
    space: Space,
    limits: Limits | None = None,
    *,
    resume: bool = False,
    seed: int = 7,
) -> Study:
    """Return a study of tiny networks on a Cortex-M without a port, so that nothing is compiled."""
    from edgesq.search.store import Store  # which brings Optuna: workers do without

    settings = Settings(
        data="none",
        data_sha256="0" * 64,
        classes=tuple("abc"),
        channels=3,
        sides=(SIDE,),
        target="generic",
        limits=limits or Limits(),
        space=None,
        space_file=None,
        training=Training(epochs=6, seed=seed, mirror=False, threads=1),
        storage=None,
        name="tiny",
    )
    if not resume:
        folder.create(settings)
    store = Store(folder.url(None), settings.name, seed, resume=resume)
    return Study(folder, settings, store, space, load_target("generic"), fake_train, compiles=False)


def shelf(folder: StudyFolder) -> ImageStore:
    """Return the images for workers."""
    return ImageStore(folder.images, lambda _: tiny_images())


def pretended(task: Task) -> Result:
    """Return a trial's result as if it had been planned and trained: in microseconds."""
    width, size = int(task.params["width"] or 0), int(task.params["size"] or 0)
    needed = Needed(4_000 + 10 * width, 24_000 + 50 * width * size, 9 * width, 900 * width, None)
    parts = over(needed, task.board, task.limits)
    if why := misses(needed, parts, task.board, task.limits):
        return Result(Outcome("dropped", needed, parts, why))
    bar = bar_for(needed, task.against)
    got = task.trainer(task.space, task.params, tiny_images(), task.training, bar)
    state: State = "stopped" if got.is_stopped else "trained"
    best = max(got.curve)
    return Result(
        Outcome(state, needed, parts, "", needed, best, 5, got.curve), f"{task.params}".encode()
    )


class Inline(Engine):
    """Runs trials in this process, when they are waited for; the last one handed out first."""

    def __init__(self, workers: int = 1, result: Callable[[Task], Result] = pretended) -> None:
        self.workers = workers
        self.result = result
        self.tasks: list[Task] = []
        self.trained: list[int] = []

    def submit(self, task: Task) -> None:
        self.tasks.append(task)

    def next(self) -> tuple[int, Result]:
        task = self.tasks.pop()
        result = self.result(task)
        if result.content:
            self.trained.append(task.number)
        return task.number, result

    def close(self) -> None:
        self.tasks.clear()


def nothing(_: Row) -> None:
    pass


def main() -> None:
    """Run or go on with a study: FOLDER TRIALS WORKERS [resume]; a process that tests kill."""
    from edgesq.search.local import LocalEngine

    path, trials, workers, *rest = sys.argv[1:]
    folder = StudyFolder(Path(path))
    crash = str(folder.path.with_name("crash"))
    study = tiny_study(folder, TinySpace(crash=crash), resume=bool(rest))
    run(study, LocalEngine(int(workers), shelf(folder)), Until(int(trials)), print)
