"""Make the build folder."""

import dataclasses
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from edgesq.calibrate import Classes, Fit
from edgesq.codegen import TFLM_KERNELS, check_name, generate, name_of, tflite_array
from edgesq.errors import EdgesqError, MissingToolError, ModelError
from edgesq.export.byproducts import ByProducts
from edgesq.export.compression import CURVE, Compression, compressed
from edgesq.export.curve import draw_curve, draw_loss
from edgesq.export.facts import (
    CalibrationFacts,
    ExportReport,
    ModelFacts,
    ParityFacts,
    RequestFacts,
)
from edgesq.export.folder import (
    FIRMWARE,
    TFLITE,
    VERIFY_IMAGES,
    appearing,
    check_out,
    file_hashes,
)
from edgesq.export.library import layouts_of, write_library
from edgesq.export.model import is_float
from edgesq.export.optimize import FLOAT_WEIGHTS, MAX_TRIALS, optimized, write_float_weights
from edgesq.export.parity import INTEGER_ONNX, compare, compared_images
from edgesq.export.report import write_report
from edgesq.export.runtime import Firmware, Wish, check_tree, make_firmware
from edgesq.export.source import CalibrationOptions, Source, load_source
from edgesq.export.target import compile_cleanly, needs_library
from edgesq.plan import Bands, Goal, curve, make_plan
from edgesq.project import Layout, Sizes
from edgesq.targets import Target

_VERSIONED = (
    "edgesq",
    "tensorflow",
    "keras",
    "onnx",
    "onnxruntime",
    "tf2onnx",
    "numpy",
    "ai-edge-litert",
)


@dataclass(frozen=True)
class ExportOptions:
    """What to export.

    Attributes:
        model: .keras, .h5, SavedModel, .onnx or int8 .tflite; None for the bundled demo model.
        calibration: folder of images; None for the default.
        target: the board.
        out: the build folder; replaced if it is one.
        goal: what the plan is best at.
        ram_limit: RAM in bytes to plan for; None for the target's.
        name: what the model's C names begin with; None for one made of its file's.
        layout: the ecosystem that gets a library beside the firmware project.
        strict: refuse calibration images that the audit finds wrong.
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


def export(options: ExportOptions, on_stage: Callable[[str], None]) -> ExportReport:
    """Write the build folder and return its report.

    Args:
        options: what to export.
        on_stage: is told what begins, for a progress display.

    Raises:
        EdgesqError: the model, its images or the target cannot be used, or a tool failed; nothing
            is left behind then and an earlier build stays as it was.
    """
    check_out(options.out)
    if options.target.is_library and options.layout is Layout.CMAKE:
        raise needs_library(options.target)
    check_tree(options.target, options.tflm_dir)
    if options.name is not None:
        check_name(options.name)
    if options.target.kernels == TFLM_KERNELS and options.layout is not Layout.CMAKE:
        raise EdgesqError(
            f"a {options.layout.value} library holds edgesq's own runtime",
            hint="leave out --format or --runtime",
        )
    taken = CalibrationOptions(options.classes, options.fit, options.strict)
    source = load_source(options.model, options.calibration, on_stage, taken)
    accuracy = None
    if options.optimize_accuracy is not None:
        source, accuracy = optimized(source, options.optimize_accuracy, on_stage)
    name = options.name or name_of(source.name)
    wish = Wish(
        options.target,
        name,
        options.goal,
        options.ram_limit,
        options.tflm_dir,
        source.classes.names,
    )
    compression = None
    if options.compress is not None:
        source, compression = compressed(source, wish, options.compress, on_stage)
    firmware = make_firmware(source.graph, source.tflite, wish)
    with appearing(options.out) as folder:
        extras = ByProducts(folder)
        if compression and compression.chosen:
            losses, size = compression.curve, compression.chosen.image_bytes
            extras.make("compression.svg", lambda path: draw_loss(losses, size, path))
        report = _fill(extras, source, firmware, options, on_stage)
        report = dataclasses.replace(report, accuracy=accuracy, compression=compression)
        write_report(folder, report)
    return report


def stage_count(
    model: Path | None,
    optimize_accuracy: float | None = None,
    compress: Compression | None = None,
) -> int:
    """Return how many stages `export` goes through, at most.

    Raises:
        ModelError: there is no such model.
    """
    extra = 0 if optimize_accuracy is None else MAX_TRIALS
    extra += 0 if compress is None else 3 + len(CURVE)
    if model is None or is_float(model):
        return 11 + extra
    return (8 if model.suffix.lower() == ".tflite" else 9) + extra


def _fill(
    extras: ByProducts,
    source: Source,
    firmware: Firmware,
    options: ExportOptions,
    on_stage: Callable[[str], None],
) -> ExportReport:
    target, folder = options.target, extras.folder
    on_stage("write ONNX")
    models = _write_models(extras, source)
    name = options.name or name_of(source.name)
    _write_code(folder, source, firmware, options, name)
    _write_images(folder, source)
    if source.keras is not None or source.weights is not None:
        extras.make(FLOAT_WEIGHTS, lambda path: write_float_weights(path, source))
    bands = Bands()
    if firmware.chosen is not None:
        bands = firmware.chosen.bands
        chosen, candidates = firmware.chosen, curve(source.graph, target.kernels)
        extras.make("plan.svg", lambda path: draw_curve(candidates, chosen, path))
    on_stage(f"compile for {target.name}")
    sizes, warning = _compile(folder / FIRMWARE, target)
    portable = generate(source.graph, make_plan(source.graph, bands=bands), "portable")
    rows = compare(source, models, portable, on_stage)
    tflm_dir = None if options.tflm_dir is None else str(options.tflm_dir)
    return ExportReport(
        model=_model_facts(source, name),
        firmware=firmware.facts,
        sizes=sizes,
        request=RequestFacts(options.layout, options.goal, options.ram_limit, tflm_dir),
        calibration=CalibrationFacts(
            source.preprocessing,
            source.declared,
            source.classes if source.classes.names else None,
            source.audit,
        ),
        verify_images=source.verify_images_are,
        parity=ParityFacts(compared_images(source), tuple(rows)),
        notes=source.notes,
        warnings=(*_warnings(source), *([warning] if warning else []), *extras.left_out),
        files=file_hashes(folder),
        versions=_versions(),
    )


def _model_facts(source: Source, c_name: str) -> ModelFacts:
    graph = source.graph
    return ModelFacts(
        source.name,
        c_name,
        graph.sha256,
        graph.tensors[graph.input].hwc,
        graph.total_macs,
        graph.weights_bytes,
    )


def _warnings(source: Source) -> list[str]:
    wrong = [row.message for row in source.audit if not row.is_good]
    return [f"calibration: {note}" for note in (*source.image_notes, *wrong)]


def _write_models(extras: ByProducts, source: Source) -> dict[str, bytes | EdgesqError]:
    """Write the .tflite and all ONNX files; return the int8 ONNX models by name.

    What tf2onnx cannot write is left out: the exact model is the one of integer operators.
    """
    from edgesq.formats.onnx import float_onnx, integer_onnx, onnx_bytes, qdq_onnx

    def written(path: Path, model: Callable[[], Any]) -> bytes:
        content = onnx_bytes(model())
        path.write_bytes(content)
        return content

    folder, float_model = extras.folder, source.keras
    (folder / TFLITE).write_bytes(source.tflite)
    models: dict[str, bytes | EdgesqError] = {
        INTEGER_ONNX: written(folder / "model_int8.onnx", lambda: integer_onnx(source.graph))
    }
    qdq = extras.make(
        "model_int8_qdq.onnx", lambda path: written(path, lambda: qdq_onnx(source.tflite))
    )
    models["ONNX, QDQ"] = ModelError(extras.left_out[-1]) if qdq is None else qdq
    if float_model is not None:
        extras.make("model_float.onnx", lambda path: written(path, lambda: float_onnx(float_model)))
    return models


def _write_code(
    folder: Path, source: Source, firmware: Firmware, options: ExportOptions, name: str
) -> None:
    """Write the firmware project, the library asked for, and the .tflite as a C array."""
    firmware.lay_out(folder / FIRMWARE)
    for layout in layouts_of(options.layout, options.target) if firmware.has_rows else ():
        write_library(folder, layout, source.graph, firmware.files, source.preprocessing, name)
    for file, text in tflite_array(source.tflite, source.name).items():
        (folder / file).write_text(text)


def _write_images(folder: Path, source: Source) -> None:
    arrays = {"input": source.verify_images, "labels": source.verify_labels}
    np.savez_compressed(
        folder / VERIFY_IMAGES,
        allow_pickle=False,
        **{name: array for name, array in arrays.items() if array is not None},
    )


def _compile(folder: Path, target: Target) -> tuple[Sizes | None, str]:
    """Compile if this machine can; say so where it cannot."""
    if target.is_library:
        return None, f"no sizes: {target.name} is a library for a project of your own"
    try:
        return compile_cleanly(folder, target), ""
    except MissingToolError as error:
        shutil.rmtree(folder / "build", ignore_errors=True)
        return None, f"not compiled, so no sizes: {error}"


def _versions() -> dict[str, str]:
    installed = {item.metadata["Name"].lower(): item.version for item in metadata.distributions()}
    found = {name: installed[name] for name in _VERSIONED if name in installed}
    return {"python": platform.python_version(), **found}
