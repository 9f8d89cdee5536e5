"""Compare every form of the model with TensorFlow Lite's reference kernels on the same images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.builds.model import Kind
from edgesq.builds.source import Source
from edgesq.calibrate import Judge, judge_of
from edgesq.errors import EdgesqError, MissingExtraError, MissingToolError, ModelError
from edgesq.formats.tflite import ReferenceInterpreter
from edgesq.graph import Graph, Int8Array
from edgesq.project import run_batch

_MIN_IMAGES, _MAX_IMAGES = 4, 100
_MAC_BUDGET = 4_000_000_000
"""Images are fewer for large networks, so that the table takes seconds."""

C_RUNTIME, INTEGER_ONNX = "C runtime on this computer", "ONNX, integer operators"
QDQ_ONNX = "ONNX, QDQ"
EXACT = (C_RUNTIME, INTEGER_ONNX)
"""Forms of which no value may differ."""

_ABSENT = (MissingToolError, MissingExtraError)
"""Why even these may be left out: this computer lacks what runs them."""

_MIN_AGREEMENT, _ROUNDING_LSB = 0.9, 16
"""A form that agrees less often, by differences that rounding does not explain, is far off; so is
one of which more values are, where they are no class."""


@dataclass(frozen=True)
class ParityRow:
    """How one form of the model compares with BUILTIN_REF.

    Attributes:
        name: which form.
        images: how many were compared.
        values: how many values were compared: outputs, and logits where the form gives them.
        differing: how many of them differ; None where the form could not run.
        max_lsb: largest difference in steps of the output's scale.
        top1_agreement: share of images of the same class; None where the outputs are no class.
        note: why it could not run, or what to know.
    """

    name: str
    images: int
    values: int
    differing: int | None
    max_lsb: int | None
    top1_agreement: float | None
    note: str = ""


def parity_images(graph: Graph, available: int) -> int:
    """Return how many images the table compares."""
    affordable = _MAC_BUDGET // max(graph.total_macs, 1)
    return min(available, max(_MIN_IMAGES, min(_MAX_IMAGES, affordable)))


def compared_images(source: Source) -> str:
    """Return which images the table compares, in words."""
    count = parity_images(source.graph, len(source.images))
    return source.images_are if count == len(source.images) else f"{count} of {source.images_are}"


@dataclass(frozen=True, eq=False)
class Comparison:
    """What every form of a model is compared with, and what forms are made of.

    Attributes:
        source: the model and its images.
        onnx_models: name to bytes, or to why there is none; they take int8 [1, H, W, C].
        files: the generated C data for this computer.
        images: int8 [n, H, W, C].
        golden: what BUILTIN_REF makes of them, int8 [n, K] for each of `Graph.observed`.
    """

    source: Source
    onnx_models: Mapping[str, bytes | EdgesqError]
    files: Mapping[str, str]
    images: Int8Array
    golden: tuple[Int8Array, ...]


def references(
    source: Source, onnx_models: Mapping[str, bytes | EdgesqError], files: Mapping[str, str]
) -> Comparison:
    """Run TensorFlow Lite's reference kernels; arguments as in Comparison."""
    images = source.images[: parity_images(source.graph, len(source.images))]
    golden = ReferenceInterpreter(source.tflite).observed(images)
    return Comparison(source, onnx_models, files, images, golden)


Values = tuple[NDArray[np.int8], ...]


@dataclass(frozen=True)
class Form:
    """One form of a model.

    Attributes:
        name: in the table.
        run: returns what it makes of the images, int8 [n, K] or a map of each output.
        is_made: says of a kind of model whether exporting it gives this form.
    """

    name: str
    run: Callable[[Comparison], Values]
    is_made: Callable[[Kind], bool] = lambda _: True


def _run_c(comparison: Comparison) -> Values:
    return run_batch(comparison.source.graph, comparison.files, comparison.images)


def _run_onnx(name: str, comparison: Comparison) -> Values:
    from edgesq.formats.onnx import run_onnx

    model = comparison.onnx_models[name]
    if isinstance(model, EdgesqError):
        raise model
    return run_onnx(model, *comparison.source.graph.columns(comparison.images))


def _run_default_kernels(comparison: Comparison) -> Values:
    interpreter = ReferenceInterpreter(comparison.source.tflite, optimized=True)
    return interpreter.outputs(comparison.images)


def _run_original(comparison: Comparison) -> Values:
    source = comparison.source
    assert source.original is not None
    return source.original.run_int8(comparison.images, source.graph)


def _run_float(comparison: Comparison) -> Values:
    return _float_as_int8(comparison.source, len(comparison.images))


_FORMS = (
    Form(C_RUNTIME, _run_c),
    Form(INTEGER_ONNX, partial(_run_onnx, INTEGER_ONNX)),
    Form(QDQ_ONNX, partial(_run_onnx, QDQ_ONNX)),
    Form("TFLite, default kernels", _run_default_kernels),
    Form("ONNX Runtime, the file itself", _run_original, lambda kind: kind is Kind.INT8_ONNX),
    Form("float Keras", _run_float, lambda kind: kind.is_float and kind is not Kind.FLOAT_TFLITE),
    Form("float .tflite", _run_original, lambda kind: kind is Kind.FLOAT_TFLITE),
)


def forms_of(kind: Kind) -> tuple[Form, ...]:
    """Return the forms that exporting a kind of model gives."""
    return tuple(form for form in _FORMS if form.is_made(kind))


def compare(comparison: Comparison, form: Form) -> ParityRow:
    """Run one form of the model and compare.

    Raises:
        ModelError: a form that must be exact is not.
    """
    try:
        judge = judge_of(comparison.source.graph)
        row = _row(
            form.name,
            form.run(comparison),
            comparison.golden,
            None if isinstance(judge, str) else judge,
        )
    except EdgesqError as error:
        is_absent = isinstance(error, _ABSENT) or error is comparison.onnx_models.get(form.name)
        if form.name in EXACT and not is_absent:
            raise
        return ParityRow(form.name, 0, 0, None, None, None, str(error))
    _hold_exact(row)
    return row


def _hold_exact(row: ParityRow) -> None:
    """Raise an error where a form that must be exact is not."""
    if row.name in EXACT and row.differing:
        raise ModelError(
            f"{row.differing} of {row.values} values differ from TensorFlow Lite's reference "
            f"kernels, by up to {row.max_lsb}: nothing is exported",
            where=row.name,
            hint="a bug of edgesq, or a model file that contradicts itself: please report it with "
            "the model",
        )


def _row(
    name: str, got: tuple[Int8Array, ...], golden: tuple[Int8Array, ...], judge: Judge | None
) -> ParityRow:
    # An ONNX output may be a map, [n, H, W, C].
    rows = [values.reshape(len(values), -1) for values in got]
    pairs = list(zip(rows, golden, strict=False))
    gaps = [np.abs(mine.astype(np.int32) - theirs.astype(np.int32)) for mine, theirs in pairs]
    agreement = None
    if judge is not None:
        mine, theirs = (_classes(one, judge) for one in (rows[0], golden[0]))
        agreement = float(np.mean(mine == theirs))
    most = max(int(gap.max()) for gap in gaps)
    count = sum(gap.size for gap in gaps)
    far = sum(int(np.count_nonzero(gap > _ROUNDING_LSB)) for gap in gaps) / count
    return ParityRow(
        name,
        len(golden[0]),
        count,
        sum(int(np.count_nonzero(gap)) for gap in gaps),
        most,
        agreement,
        _far_off(agreement, far, most),
    )


def _classes(values: Int8Array, judge: Judge) -> NDArray[np.intp]:
    """Return the class of each image, of its outputs int8 [n, K]."""
    if judge.is_sigmoid:  # its scale is always 1/256, from -128 on: 0 is a half
        return np.asarray(values[:, 0] > 0, np.intp)
    return np.asarray(values.argmax(axis=1), np.intp)


def _far_off(agreement: float | None, far: float, most_lsb: int) -> str:
    """Say that a form is no use as it runs here; nothing where rounding explains what differs."""
    if (1 - far if agreement is None else agreement) >= _MIN_AGREEMENT or not far:
        return ""
    what = (
        f"{far:.0%} of the values are more than {_ROUNDING_LSB} LSB off, up to {most_lsb}"
        if agreement is None
        else f"same top-1 on only {agreement:.0%} of the images, up to {most_lsb} LSB off"
    )
    return f"{what}: do not rely on it with the version of its runtime that is installed here"


def _float_as_int8(source: Source, count: int) -> tuple[Int8Array, ...]:
    """Run the float model and express its outputs on the scales of the int8 outputs."""
    assert source.keras is not None
    inputs = source.float_inputs or (source.floats,)
    given = [None if one is None else one[:count] for one in inputs]
    made = source.keras(given[0] if len(given) == 1 else given, training=False)
    found: list[Int8Array] = []
    for values, index in zip(_listed(made), source.graph.outputs, strict=True):
        output = source.graph.tensors[index]
        levels = np.round(np.asarray(values).reshape(count, -1) / output.scale) + output.zero_point
        found.append(np.asarray(np.clip(levels, *output.levels), output.dtype))
    return tuple(found)


def _listed(made: Any) -> list[Any]:
    """Return what a Keras model gives, which is a tensor, or a list or a dict of several."""
    if isinstance(made, dict):
        return list(made.values())
    return list(made) if isinstance(made, list | tuple) else [made]
