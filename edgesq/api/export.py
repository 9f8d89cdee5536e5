"""Quantize a model, and write a build folder."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

from edgesq.api.build import Build
from edgesq.api.given import ClassNames, StrPath, check_count, chosen, classes_of, path_of, within
from edgesq.api.progress import OnProgress, Progress, unheard
from edgesq.api.sizes import size_of
from edgesq.builds import Compression, ExportOptions, around_tflm, with_kernels
from edgesq.builds import export as run
from edgesq.choices import (
    DEFAULT_BUILD,
    DEFAULT_TARGET,
    MAX_DROP_POINTS,
    Activations,
    Fit,
    Goal,
    Layout,
    Runtime,
)
from edgesq.limits import MAX_ACCURACY_S
from edgesq.targets import Target, load_target


class ExportArguments(TypedDict, total=False):
    """What `export` takes by name besides the model, its images, the target and the folder.

    Attributes:
        format: what to lay out beside the firmware project: "cmake" (nothing more), "c-library",
            "arduino", "platformio", "zephyr", "esp-idf", "pico-sdk" or "cmsis-pack".
        name: what the model's C names begin with; made of its file's without it.
        optimize: what the plan is best at: "ram", "speed" or "balanced", which it is without it.
        ram_limit: RAM in bytes to plan for, at least 1; the board's without it.
        classes: file of class names, or the names in the model's order; without it as the class
            folders of the calibration images are called.
        fit: how images of other proportions get the model's: "stretch", "crop" or "pad"; without it
            as their manifest says.
        activations: what those of a float model become: "int8" or "int16".
        strict: refuse calibration images that look wrong.
        runtime: what computes on the board: "edgesq" or "tflm".
        kernels: another kernel family than the board's, as "portable", where its core runs it.
        tflm_dir: TensorFlow Lite Micro's tree, its library built.
        optimize_accuracy: seconds, up to 86,400, to look for an int8 model closer to the float one.
        compress: bytes that the whole image may take, as a number, "512000" or "500K"; "flash" for
            as many as the board has.
        max_drop: points of top-1, 0 to 100, that compressing may lose, as predicted; 2 without it.
    """

    format: Layout | str
    name: str | None
    optimize: Goal | str
    ram_limit: int | None
    classes: ClassNames | None
    fit: Fit | str | None
    activations: Activations | str
    strict: bool
    runtime: Runtime | str
    kernels: str | None
    tflm_dir: StrPath | None
    optimize_accuracy: float | None
    compress: int | str | None
    max_drop: float


def export(
    model: StrPath | None = None,
    *,
    calibration: StrPath | None = None,
    target: str | Target = DEFAULT_TARGET,
    out: StrPath = DEFAULT_BUILD,
    on_progress: OnProgress | None = None,
    **options: Unpack[ExportArguments],
) -> Build:
    """Quantize a model and write every format and a firmware project into a build folder.

    Args:
        model: .keras, .h5, SavedModel folder, .onnx or .tflite; None for the bundled model.
        calibration: folder of images to quantize with, about 100, or .npz with an array for each
            input; a float model needs it.
        target: the board, by its name or as `load_target` gives it.
        out: folder to write; a build that is there is replaced.
        on_progress: is told each step before it begins.
        **options: as `ExportArguments` says; the options of `edgesq export` have the same names.

    Raises:
        ModelError: the model cannot be used.
        ImageError: the calibration images or classes cannot be used.
        TargetError: the target is unknown, or its core does not run these kernels.
        FitError: the model does not fit the board.
        ToolError: a compiler failed.
        EdgesqError: a value is out of its range, or the folder cannot be written. Nothing is left
            behind then, and an earlier build stays as it was.
    """
    board = load_target(target) if isinstance(target, str) else target
    request = _request(path_of(model), path_of(calibration), board, Path(out), **options)
    tell = on_progress or unheard
    run(request, lambda stage: tell(Progress(str(stage), stage.number, stage.total)))
    return Build(Path(out))


def _request(
    model: Path | None,
    calibration: Path | None,
    board: Target,
    out: Path,
    *,
    format: Layout | str = Layout.CMAKE,  # noqa: A002 (as the command's option is called)
    name: str | None = None,
    optimize: Goal | str = Goal.BALANCED,
    ram_limit: int | None = None,
    classes: ClassNames | None = None,
    fit: Fit | str | None = None,
    activations: Activations | str = Activations.INT8,
    strict: bool = False,
    runtime: Runtime | str = Runtime.EDGESQ,
    kernels: str | None = None,
    tflm_dir: StrPath | None = None,
    optimize_accuracy: float | None = None,
    compress: int | str | None = None,
    max_drop: float = MAX_DROP_POINTS,
) -> ExportOptions:
    """Return what is asked for, checked as far as that needs no model."""
    check_count(ram_limit, "ram_limit")
    within(optimize_accuracy, 0, MAX_ACCURACY_S, "optimize_accuracy")
    within(max_drop, 0, 100, "max_drop")
    if chosen(Runtime, runtime, "runtime") is Runtime.TFLM:
        board = around_tflm(board)
    board = with_kernels(board, kernels)
    return ExportOptions(
        model=model,
        calibration=calibration,
        target=board,
        out=out,
        goal=chosen(Goal, optimize, "optimize"),
        ram_limit=ram_limit,
        name=name,
        layout=chosen(Layout, format, "format"),
        activations=chosen(Activations, activations, "activations"),
        strict=strict,
        classes=classes_of(classes),
        fit=None if fit is None else chosen(Fit, fit, "fit").value,
        tflm_dir=path_of(tflm_dir),
        optimize_accuracy=optimize_accuracy,
        compress=None if compress is None else Compression(size_of(compress), max_drop),
    )
