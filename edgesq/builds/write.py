"""The steps that fill a build folder, each from a Draft to what the next one takes."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edgesq.builds import parity
from edgesq.builds.curve import loss_picture, plan_picture
from edgesq.builds.draft import Compared, Draft
from edgesq.builds.folder import FIRMWARE, TFLITE, VERIFY_IMAGES
from edgesq.builds.library import layouts_of, write_library
from edgesq.builds.optimize import FLOAT_WEIGHTS, write_float_weights
from edgesq.builds.page_files import PLAN_PICTURE, draw_sheet
from edgesq.builds.parity import INTEGER_ONNX, QDQ_ONNX, Form
from edgesq.builds.source import Source
from edgesq.builds.target import compile_cleanly
from edgesq.codegen import tflite_array
from edgesq.errors import EdgesqError, MissingExtraError, MissingToolError, ModelError
from edgesq.plan import curve, needs


def write_models(draft: Draft) -> Draft:
    """Write the .tflite and all ONNX files, which are left out where ONNX is not installed."""
    (draft.folder / TFLITE).write_bytes(draft.source.tflite)
    try:
        models = _write_onnx(draft)
    except MissingExtraError as error:
        draft.extras.left_out.append(f"ONNX files are left out: {error}")
        models = {INTEGER_ONNX: error, QDQ_ONNX: error}
    return replace(draft, models=models)


def _write_onnx(draft: Draft) -> dict[str, bytes | EdgesqError]:
    """Write all ONNX files, and return those that take int8.

    What tf2onnx cannot write is left out: the exact model is the one of integer operators.

    Raises:
        MissingExtraError: ONNX is not installed.
    """
    from edgesq.formats.onnx import float_onnx, integer_onnx, onnx_bytes, qdq_onnx

    def written(path: Path, model: Callable[[], Any]) -> bytes:
        content = onnx_bytes(model())
        path.write_bytes(content)
        return content

    source, extras, folder = draft.source, draft.extras, draft.folder
    float_model = source.keras

    def optional(file: str, model: Callable[[], Any]) -> bytes | EdgesqError:
        made = extras.make(file, lambda path: written(path, model))
        return ModelError(extras.left_out[-1]) if made is None else made

    file = "model_int8.onnx"
    models: dict[str, bytes | EdgesqError] = {}
    if source.graph.stateful or source.graph.is_int16:  # ONNX has no place for it
        models[INTEGER_ONNX] = optional(file, lambda: integer_onnx(source.graph))
    else:
        models[INTEGER_ONNX] = written(folder / file, lambda: integer_onnx(source.graph))
    models[QDQ_ONNX] = optional("model_int8_qdq.onnx", lambda: qdq_onnx(source.graph))
    if float_model is not None:
        extras.make("model_float.onnx", lambda path: written(path, lambda: float_onnx(float_model)))
    return models


def write_code(draft: Draft) -> Draft:
    """Write the firmware project, the library asked for, the .tflite as a C array, and images."""
    source, firmware, folder = draft.source, draft.firmware, draft.folder
    name = draft.planned.improved.firmware.name
    firmware.lay_out(folder / FIRMWARE)
    layouts = layouts_of(draft.options.layout, draft.options.target) if firmware.has_rows else ()
    for layout in layouts:
        write_library(folder, layout, firmware.files, name, draft.options.target.kernels)
    for file, text in tflite_array(source.tflite, source.name).items():
        (folder / file).write_text(text)
    _write_images(folder, source)
    if source.keras is not None or source.weights is not None:
        draft.extras.make(FLOAT_WEIGHTS, lambda path: write_float_weights(path, source))
    return draft


def _write_images(folder: Path, source: Source) -> None:
    graph = source.graph
    columns = graph.columns(source.verify_images)
    arrays = dict(zip(graph.input_names, columns, strict=True)) | {"labels": source.verify_labels}
    np.savez_compressed(
        folder / VERIFY_IMAGES,
        allow_pickle=False,
        **{name: array for name, array in arrays.items() if array is not None},
    )


def draw(draft: Draft) -> Draft:
    """Draw RAM against speed, size against loss where the model was compressed, and images."""
    chosen, compression = draft.firmware.chosen, draft.planned.improved.compression
    draw_sheet(draft.extras, draft.source.sheet)
    if compression is not None and compression.chosen is not None:
        points, size = compression.curve, compression.chosen.image_bytes
        draft.extras.make("compression.svg", lambda path: loss_picture(points, size).write(path))
    if chosen is None:
        return draft
    kernels, goal = draft.options.target.kernels, chosen.request.goal
    candidates = tuple(curve(draft.source.graph, kernels, chosen.tried, goal))
    picture = partial(plan_picture, candidates, chosen, draft.options.goal)
    draft.extras.make(PLAN_PICTURE, lambda path: picture().write(path))
    return replace(draft, candidates=candidates)


def compile_it(draft: Draft) -> Draft:
    """Compile if this machine can; say so where it cannot."""
    folder, target = draft.folder / FIRMWARE, draft.options.target
    if target.is_library:
        why = f"no sizes: {target.name} is a library for a project of your own"
        return replace(draft, warnings=(why,))
    try:
        return replace(draft, sizes=compile_cleanly(folder, target))
    except MissingToolError as error:
        shutil.rmtree(folder / "build", ignore_errors=True)
        return replace(draft, warnings=(f"not compiled, so no sizes: {error}", *_doubt(draft)))


def _doubt(draft: Draft) -> tuple[str, ...]:
    """Return a warning where only a linker could have told whether the image fits."""
    chosen, target = draft.firmware.chosen, draft.options.target
    flash = target.region("flash")
    if chosen is None or flash is None:
        return ()
    most = needs(draft.source.graph, chosen.plan, target)["flash"]
    what = f"it takes at most {most:,} B of flash, {target.name} has {flash.bytes:,} B"
    return () if most <= flash.bytes else (f"whether it fits is not known: {what}",)


def run_references(draft: Draft) -> Compared:
    """Run TensorFlow Lite's reference kernels."""
    files = draft.firmware.portable_files(draft.source.graph)
    return Compared(draft, parity.references(draft.source, draft.models, files))


def compare(state: Compared, form: Form) -> Compared:
    """Compare one form of the model with them."""
    return replace(state, rows=(*state.rows, parity.compare(state.comparison, form)))
