"""Compare every form of the model with TensorFlow Lite's reference kernels on the same images."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import EdgesqError, MissingToolError, ModelError
from edgesq.export.source import Source
from edgesq.formats.tflite import ReferenceInterpreter
from edgesq.graph import Graph, Int8Array
from edgesq.project import run_batch

_MIN_IMAGES, _MAX_IMAGES = 4, 100
_MAC_BUDGET = 4_000_000_000
"""Images are fewer for large networks, so that the table takes seconds."""

C_RUNTIME, INTEGER_ONNX = "C runtime on this computer", "ONNX, integer operators"
EXACT = (C_RUNTIME, INTEGER_ONNX)
"""Forms of which no value may differ."""

_MIN_AGREEMENT, _ROUNDING_LSB = 0.9, 16
"""A form that agrees less often, by differences that rounding does not explain, is far off."""


@dataclass(frozen=True)
class ParityRow:
    """How one form of the model compares with BUILTIN_REF.

    Attributes:
        name: which form.
        images: how many were compared.
        values: how many values were compared: outputs, and logits where the form gives them.
        differing: how many of them differ; None where the form could not run.
        max_lsb: largest difference in steps of the output's scale.
        top1_agreement: share of images with the same largest output.
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


def compare(
    source: Source,
    onnx_models: Mapping[str, bytes | EdgesqError],
    files: Mapping[str, str],
    on_stage: Callable[[str], None],
) -> list[ParityRow]:
    """Run every form of the model and compare.

    Args:
        source: the model and its images.
        onnx_models: name to bytes, or to why there is none; they take int8 [1, H, W, C].
        files: the generated C data.
        on_stage: is told what begins.

    Raises:
        ModelError: a form that must be exact is not.
    """
    from edgesq.formats.onnx import run_onnx

    count = parity_images(source.graph, len(source.images))
    images = source.images[:count]
    on_stage("run TensorFlow Lite's reference kernels")
    golden = ReferenceInterpreter(source.tflite).observed(images)
    forms: dict[str, Callable[[], tuple[NDArray[np.int8], ...]]] = {
        C_RUNTIME: lambda: run_batch(source.graph, files, images),
    }
    for name, content in onnx_models.items():
        if isinstance(content, bytes):
            forms[name] = lambda content=content: run_onnx(content, images)  # type: ignore[misc]
    forms["TFLite, default kernels"] = lambda: (
        ReferenceInterpreter(source.tflite, optimized=True).run(images),
    )
    original = source.original
    if original is not None:
        forms["ONNX Runtime, the file itself"] = lambda: original.run_int8(images, source.graph)
    if source.keras is not None:
        forms["float Keras"] = lambda: (_float_as_int8(source, count),)
    rows = []
    for name, run in forms.items():
        on_stage(f"compare {name}")
        try:
            rows.append(_row(name, run(), golden))
        except EdgesqError as error:
            if name in EXACT and not isinstance(error, MissingToolError):
                raise
            rows.append(_absent(name, error))
        _hold_exact(rows[-1])
    missing = {name: why for name, why in onnx_models.items() if isinstance(why, EdgesqError)}
    return [*rows, *(_absent(name, why) for name, why in missing.items())]


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


def _absent(name: str, why: EdgesqError) -> ParityRow:
    return ParityRow(name, 0, 0, None, None, None, str(why))


def _row(name: str, got: tuple[Int8Array, ...], golden: tuple[Int8Array, ...]) -> ParityRow:
    # An ONNX output may be a map, [n, H, W, C].
    rows = [values.reshape(len(values), -1) for values in got]
    pairs = list(zip(rows, golden, strict=False))
    gaps = [np.abs(mine.astype(np.int32) - theirs.astype(np.int32)) for mine, theirs in pairs]
    agreement = float(np.mean(rows[0].argmax(axis=1) == golden[0].argmax(axis=1)))
    most = max(int(gap.max()) for gap in gaps)
    return ParityRow(
        name,
        len(golden[0]),
        sum(gap.size for gap in gaps),
        sum(int(np.count_nonzero(gap)) for gap in gaps),
        most,
        agreement,
        _far_off(agreement, most),
    )


def _far_off(agreement: float, most_lsb: int) -> str:
    """Say that a form is no use as it runs here; nothing where rounding explains what differs."""
    if agreement >= _MIN_AGREEMENT or most_lsb <= _ROUNDING_LSB:
        return ""
    return (
        f"same top-1 on only {agreement:.0%} of the images, up to {most_lsb} LSB off: "
        "do not rely on it with the version of its runtime that is installed here"
    )


def _float_as_int8(source: Source, count: int) -> Int8Array:
    """Run the float model and express its output on the int8 output's scale."""
    assert source.keras is not None
    assert source.floats is not None
    output = source.graph.tensors[source.graph.output]
    real = np.asarray(source.keras(source.floats[:count], training=False))
    levels = np.round(real.reshape(count, -1) / output.scale) + output.zero_point
    return np.clip(levels, -128, 127).astype(np.int8)
