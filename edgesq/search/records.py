"""What a study is asked for, and what is known of each of its trials, as it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from edgesq.records import Count, Part, Positive, Sha256

SCHEMA = 1

State = Literal["dropped", "trained", "stopped", "failed"]
"""Dropped: does not fit, never trained. Stopped: trained in part, behind what takes no more."""

Value = str | int | float
"""Of a metaparameter that is held."""

Params = dict[str, str | int | float | bool | None]
"""Metaparameters by name."""


@dataclass(frozen=True)
class Limits:
    """What a network may take; None for no limit but the board's.

    Attributes:
        ram_bytes: of the whole firmware, which is planned for it.
        flash_bytes: of the whole firmware.
        ms: per image at the board's clock, as estimated.
    """

    ram_bytes: Count | None = None
    flash_bytes: Count | None = None
    ms: Positive | None = None


@dataclass(frozen=True)
class Needed:
    """What a network takes on the board.

    Attributes:
        ram_bytes: of the whole firmware.
        flash_bytes: likewise.
        arena_bytes: of that RAM, for activations.
        instructions: per image, estimated.
        ms: at the board's clock, estimated; None where nothing is known of the core.
        is_linked: whether RAM and flash are the linker's; else they are upper bounds.
    """

    ram_bytes: Count
    flash_bytes: Count
    arena_bytes: Count
    instructions: Count
    ms: Positive | None
    is_linked: bool = False


@dataclass(frozen=True)
class Training:
    """How candidates are trained.

    Attributes:
        epochs: at most.
        seed: of weights, order of images and their shifts.
        mirror: whether images are mirrored at random.
        threads: of TensorFlow, on a CPU.
    """

    epochs: Count
    seed: Count
    mirror: bool
    threads: Count


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What makes a study the same study.

    Attributes:
        schema: version of this shape.
        data: folder or .npz of labelled images.
        data_sha256: changes where the images do.
        classes: names of the classes.
        channels: of an image.
        sides: heights and widths to choose from, in pixels.
        target: the board.
        limits: what a network may take.
        space: text of the file with `build`; None for SqueezeNet's metaparameters.
        space_file: its path.
        training: how candidates are trained.
        storage: Optuna's URL; None for the file in the study's folder.
        name: of the study in the storage.
        held: values of metaparameters that are not free.
    """

    schema: int = SCHEMA
    data: str
    data_sha256: Sha256
    classes: tuple[str, ...]
    channels: Count
    sides: tuple[Count, ...]
    target: str
    limits: Limits
    space: str | None
    space_file: str | None
    training: Training
    storage: str | None
    name: str
    held: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a candidate.

    Attributes:
        state: how far it came.
        planned: what it takes by its plan, before it was trained; None where it has none.
        over: by memory or time, the part by which it exceeds a limit; 0 or less where it does not.
        why: of a candidate that was dropped or failed.
        needed: what it takes with the weights it got.
        accuracy: share of the images held out that the int8 model puts into their class.
        images: held out.
        curve: accuracy on validation images by epoch, float.
        plan_s, train_s: seconds that it took.
    """

    state: State
    planned: Needed | None = None
    over: Mapping[str, float] = field(default_factory=dict)
    why: str = ""
    needed: Needed | None = None
    accuracy: Part | None = None
    images: Count = 0
    curve: tuple[Part, ...] = ()
    plan_s: Positive = 0.0
    train_s: Positive = 0.0

    @property
    def fits(self) -> bool:
        """Whether it is within all limits."""
        return self.planned is not None and all(part <= 0 for part in self.over.values())

    def without_times(self) -> "Outcome":
        """Return what two runs of the same study have in common."""
        return replace(self, plan_s=0.0, train_s=0.0)


@dataclass(frozen=True)
class Row:
    """A trial.

    Attributes:
        number: in its study, from 0.
        params: its metaparameters.
        outcome: what became of it.
        same_as: number of the earlier trial with the same metaparameters, whose outcome this is.
    """

    number: Count
    params: Params
    outcome: Outcome
    same_as: Count | None = None


@dataclass(frozen=True, kw_only=True)
class StudyDocument:
    """What a study found.

    Attributes:
        schema: version of this shape.
        settings: what was asked for.
        rows: trials that ended, by number.
        front: numbers of those that no other beats in accuracy, RAM, flash and instructions at
            once, the most accurate first.
        importance: share of each metaparameter in how accuracy varies; empty where too few
            trials were trained.
    """

    schema: int = SCHEMA
    settings: Settings
    rows: tuple[Row, ...]
    front: tuple[Count, ...]
    importance: Mapping[str, float]

    def row(self, number: int) -> Row | None:
        """Return a trial; None where there is none of that number that ended."""
        return next((row for row in self.rows if row.number == number), None)
