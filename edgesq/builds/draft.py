"""What an export is asked for, and a build folder that is being filled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgesq.builds.byproducts import ByProducts
from edgesq.builds.compression import Compression
from edgesq.builds.optimize import Improved
from edgesq.builds.parity import Comparison, ParityRow
from edgesq.builds.runtime import Firmware, FirmwareOptions
from edgesq.builds.source import Source
from edgesq.calibrate import Classes, Fit
from edgesq.choices import Activations, Goal, Layout
from edgesq.codegen import name_of
from edgesq.errors import EdgesqError
from edgesq.plan import Candidate
from edgesq.project import Sizes
from edgesq.targets import Target


@dataclass(frozen=True)
class ExportOptions:
    """What to export.

    Attributes:
        model: .keras, .h5, SavedModel, .onnx or .tflite; None for the bundled demo model.
        calibration: folder of images; None for the default.
        target: the board.
        out: the build folder; replaced if it is one.
        goal: what the plan is best at.
        ram_limit: RAM in bytes to plan for; None for the target's.
        name: what the model's C names begin with; None for one made of its file's.
        layout: the ecosystem that gets a library beside the firmware project.
        strict: refuse calibration images that the audit finds wrong.
        activations: what those of a float model become.
        classes: which class has which number; None for as the calibration folder says.
        fit: how images of another size get the model's; None for as its manifest says.
        tflm_dir: TensorFlow Lite Micro's tree, for a target whose kernels are "tflm".
        optimize_accuracy: seconds to look for a more exact int8 model; None for the converter's.
        compress: how small the image is to become; None for weights as they are.
    """

    model: Path | None
    calibration: Path | None
    target: Target
    out: Path
    goal: Goal = Goal.BALANCED
    ram_limit: int | None = None
    name: str | None = None
    layout: Layout = Layout.CMAKE
    strict: bool = False
    classes: Classes | None = None
    fit: Fit | None = None
    tflm_dir: Path | None = None
    optimize_accuracy: float | None = None
    compress: Compression | None = None
    activations: Activations = Activations.INT8

    def firmware(self, source: Source) -> FirmwareOptions:
        """Return what firmware is wanted for a model."""
        return FirmwareOptions(
            self.target,
            self.name or name_of(source.name),
            self.goal,
            self.ram_limit,
            self.tflm_dir,
            source.classes.names,
            source.preprocessing,
        )


@dataclass(frozen=True, eq=False)
class Planned:
    """A model with its firmware."""

    improved: Improved
    firmware: Firmware


@dataclass(frozen=True, eq=False)
class Draft:
    """A build folder that is being filled.

    Attributes:
        options: what is exported.
        planned: the model and its firmware.
        extras: makes files in the folder that nothing else needs.
        models: int8 ONNX models by name, or why there is none.
        sizes: of the compiled firmware; None where it is not compiled.
        warnings: what to know of compiling.
        candidates: plans to compare the chosen one with, from bands of one row to whole maps.
    """

    options: ExportOptions
    planned: Planned
    extras: ByProducts
    models: Mapping[str, bytes | EdgesqError] = field(default_factory=dict)
    sizes: Sizes | None = None
    warnings: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()

    @property
    def source(self) -> Source:
        """The model with its images."""
        return self.planned.improved.source

    @property
    def firmware(self) -> Firmware:
        """What is laid out for the board."""
        return self.planned.firmware

    @property
    def folder(self) -> Path:
        """Where the build is written."""
        return self.extras.folder


@dataclass(frozen=True, eq=False)
class Compared:
    """A build folder that is filled, and how the forms of its model compare so far."""

    draft: Draft
    comparison: Comparison
    rows: tuple[ParityRow, ...] = ()
