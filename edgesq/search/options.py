"""From what a user asks for to a study that can run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgesq.choices import DEFAULT_TARGET
from edgesq.errors import EdgesqError
from edgesq.extras import require
from edgesq.search.engine import Engine, ImageStore
from edgesq.search.folder import StudyFolder
from edgesq.search.held import Held, Values, values_of
from edgesq.search.images import SIDES, Labelled, open_images
from edgesq.search.local import LocalEngine
from edgesq.search.page import page
from edgesq.search.planning import check_limits
from edgesq.search.records import Limits, Row, Settings, StudyDocument, Training
from edgesq.search.run import Study, Until, run
from edgesq.search.space import Space, space_of
from edgesq.search.train import train
from edgesq.search.trial import Trainer
from edgesq.search.urls import without_password
from edgesq.targets import load_target

DEFAULT_EPOCHS, DEFAULT_SEED, DEFAULT_TRIALS = 20, 2016, 40


@dataclass(frozen=True)
class Asked:
    """What a new study is about; None in a study that goes on, which is about what it was.

    Attributes:
        data: folder with one folder per class, or .npz.
        target: name of the board.
        limits: what a network may take.
        space: file with `build(trial) -> keras.Model`; None for SqueezeNet's metaparameters.
        sides: heights and widths of the input to choose from; none for those near the images'.
        epochs: of a training, at most.
        seed: of choices, weights and what is held out.
        mirror: whether training images are mirrored.
        storage: Optuna's URL; None for a file in the study's folder.
        hold: values to which metaparameters are held, by name.
        grid: values of which every combination is tried, with nothing else varied.
    """

    data: Path | None = None
    target: str | None = None
    limits: Limits = field(default_factory=Limits)
    space: Path | None = None
    sides: tuple[int, ...] = ()
    epochs: int | None = None
    seed: int | None = None
    mirror: bool = False
    storage: str | None = None
    hold: Values = field(default_factory=dict)
    grid: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Workers:
    """Where trials run.

    Attributes:
        count: trials at once; None for as many as this computer, or a cluster, has CPUs for.
        ray: address of a Ray cluster; None for processes on this computer.
        cpus: of a trial.
        gpus: of a trial.
    """

    count: int | None = None
    ray: str | None = None
    cpus: int = 1
    gpus: float = 0.0


def search(
    out: Path,
    asked: Asked,
    until: Until | None,
    workers: Workers,
    on_row: Callable[[Row], None],
    *,
    resume: bool = False,
    trainer: Trainer = train,
) -> StudyDocument:
    """Search networks for a board, and write what was found into the study's folder.

    Args:
        out: the folder.
        asked: what the study is about.
        until: when it ends; None for the whole grid, or the default number of trials.
        workers: where trials run.
        on_row: is told each trial that ends.
        resume: go on with the study in the folder; what is asked must be what it is about.
        trainer: of a module, not of a function; other than Keras' in tests.

    Raises:
        MissingExtraError: Optuna or TensorFlow is not installed.
        ImageError: the images cannot be used, or a class has too few.
        TargetError: the target is unknown.
        FitError: nothing fits; names what came nearest.
        EdgesqError: the space is empty, or folder or storage are another study's.
    """
    require("optuna", "tensorflow", "keras")
    folder = StudyFolder(out)
    settings, images = _settings(folder, asked, workers.cpus, resume=resume)
    board = load_target(settings.target)
    check_limits(board, settings.limits)
    space, networks = _space(settings)
    until = until or Until(DEFAULT_TRIALS if networks is None else None)
    from edgesq.search.store import Store

    shelf = ImageStore(folder.images, lambda side: images.at(side, settings.training.seed))
    with folder.held(None if resume else settings):
        url = folder.url(asked.storage or settings.storage)
        with _discarding(folder.discard, lambda: not resume):
            store = Store(url, settings.name, settings.training.seed, resume=resume)
            if not resume:
                store.enqueue(space.first())
        study = Study(folder, settings, store, space, board, trainer, networks=networks)
        with (
            _discarding(study.discard, lambda: not resume and not study.has_trained),
            _finishing(study),
        ):
            return run(study, _engine(workers, shelf), until, on_row)


@contextmanager
def _discarding(discard: Callable[[], None], is_useless: Callable[[], bool]) -> Iterator[None]:
    """Clear away what a first start has left that failed: it would be in the way of a second."""
    try:
        yield
    except EdgesqError:
        with suppress(EdgesqError):  # of a storage that fails; the error that is raised says so
            if is_useless():
                discard()
        raise


@contextmanager
def _finishing(study: Study) -> Iterator[None]:
    """Write result and page, however a run ends."""
    try:
        yield
    finally:
        document = study.document()
        study.folder.finish(document, page(document, study.board))


def _settings(
    folder: StudyFolder, asked: Asked, cpus: int, *, resume: bool
) -> tuple[Settings, Labelled]:
    """Return what the study is about, and its images."""
    known = folder.settings() if resume else None
    data = asked.data or (Path(known.data) if known else None)
    if data is None:
        raise EdgesqError(
            "no images are given", where="DATA", hint="a folder with one folder per class, or .npz"
        )
    images = open_images(data)
    if known is None:
        return _new(folder, asked, images, cpus), images
    _refuse_another(known, asked, images)
    return known, images


def _new(folder: StudyFolder, asked: Asked, images: Labelled, cpus: int) -> Settings:
    wrong = [side for side in asked.sides if not SIDES[0] // 2 <= side <= 4 * SIDES[-1]]
    if wrong:
        raise EdgesqError(f"is {wrong[0]}", where="--side", hint="12 to 896 pixels")
    settings = Settings(
        data=str(images.path.absolute()),
        data_sha256=images.identity,
        classes=images.classes,
        channels=images.channels,
        sides=asked.sides or images.sides,
        target=load_target(asked.target or DEFAULT_TARGET).name,
        limits=asked.limits,
        space=None if asked.space is None else _text(asked.space),
        space_file=None if asked.space is None else str(asked.space),
        training=Training(
            asked.epochs or DEFAULT_EPOCHS,
            DEFAULT_SEED if asked.seed is None else asked.seed,
            asked.mirror,
            cpus,
        ),
        storage=None if asked.storage is None else without_password(asked.storage),
        name=folder.name(),
    )
    return replace(settings, held=values_of(asked.hold, asked.grid, space_of(settings)))


def _space(settings: Settings) -> tuple[Space, int | None]:
    """Return what is chosen among, and how many networks a grid has; None of what is searched."""
    space = space_of(settings)
    if not settings.held:
        return space, None
    held = Held(space, settings.held)
    grid = held.grid()
    return held, None if grid is None else len(grid)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise EdgesqError(
            f"cannot be read: {error}", where=str(path), hint="a Python file with build(trial)"
        ) from error


def _refuse_another(known: Settings, asked: Asked, images: Labelled) -> None:
    """Refuse to go on with a study as if it were another.

    Raises:
        EdgesqError: something that makes it this study is asked for otherwise.
    """
    given = {
        "DATA": (images.identity, known.data_sha256),
        "--target": (asked.target, known.target),
        "--space": (None if asked.space is None else _text(asked.space), known.space),
        "--side": (asked.sides or None, known.sides),
        "--epochs": (asked.epochs, known.training.epochs),
        "--seed": (asked.seed, known.training.seed),
        "--mirror": (asked.mirror or None, known.training.mirror),
        "--ram-limit": (asked.limits.ram_bytes, known.limits.ram_bytes),
        "--flash-limit": (asked.limits.flash_bytes, known.limits.flash_bytes),
        "--ms-limit": (asked.limits.ms, known.limits.ms),
        "--hold, --grid": (_held(asked, known) or None, known.held),
        "--storage": (asked.storage and without_password(asked.storage), known.storage),
    }
    other = [name for name, (mine, theirs) in given.items() if mine not in (None, theirs)]
    if other:
        raise EdgesqError(
            f"the study is about another {', '.join(other)}",
            where="--resume",
            hint="leave them out, or begin a new study",
        )


def _held(asked: Asked, known: Settings) -> Values:
    return values_of(asked.hold, asked.grid, space_of(known))


def _engine(workers: Workers, shelf: ImageStore) -> Engine:
    if workers.ray is not None:
        from edgesq.search.on_ray import RayEngine

        return RayEngine(workers.ray, shelf, workers.cpus, workers.gpus, workers.count)
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = workers.count or max(1, cpus // workers.cpus)
    return LocalEngine(count, shelf, gpu=workers.gpus > 0)
