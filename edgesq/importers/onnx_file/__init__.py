"""Read an .onnx file without believing it.

    bytes --> checked tensors --> one list of operators --> one type of float
          --> shapes, constants (sizes counted before) --> Net

Nothing of the file is run here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import TensorProto

from edgesq.importers.net import Net, Note
from edgesq.importers.onnx_file import plain, structure, tensors
from edgesq.importers.onnx_file.inference import infer
from edgesq.importers.onnx_file.net_reader import read_net
from edgesq.importers.operators.table import ONNX
from edgesq.importers.supported import COMPUTED_BEFOREHAND, PASSED, QUANTIZED, SHAPES_ONLY, refusal
from edgesq.limits import MAX_INPUTS, MAX_OBSERVED
from edgesq.quantize import all_or_none

_DOMAINS = ("", "com.microsoft")
_IMAGES = (TensorProto.FLOAT, TensorProto.INT8, TensorProto.UINT8)
_SEVERAL_RESULTS = ("Split",)
_OWN = {"Requantize"}
"""What only the import itself makes, of QuantizeLinear."""

KNOWN = {*ONNX, *_SEVERAL_RESULTS, *SHAPES_ONLY, *QUANTIZED, *PASSED, *COMPUTED_BEFOREHAND} - _OWN

Problem = tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class OnnxFile:
    """A file that is sound.

    Attributes:
        model: as ONNX Runtime can run it: functions written out, batch 1, floats in float32.
        net: the same as operators, constants and shapes.
        is_int8: whether activations are integers.
        takes_pixels: the images are of integers, which are cast to float before all else.
    """

    model: onnx.ModelProto
    net: Net
    is_int8: bool
    takes_pixels: bool


def read_file(path: Path) -> OnnxFile:
    """Read a model.

    Raises:
        ModelError: the file is missing, damaged or too large, has too many inputs or results, an
            image without a fixed size, or operators that are not known (all are named).
    """
    where = str(path)
    model, notes, takes_pixels = _open(path, external=True)
    problems = [*_ends(model.graph), *_operators(model)]
    if problems:
        raise refusal(problems, where)
    _fix_batches(model.graph)
    net = read_net(model, infer(model, where), where)
    net.notes.extend(notes)
    return OnnxFile(model, net, _is_quantized(model), takes_pixels)


def is_int8(path: Path) -> bool:
    """Say whether a file's activations are integers.

    Raises:
        ModelError: the file is damaged.
    """
    return _is_quantized(_open(path, external=False)[0])


def _open(path: Path, *, external: bool) -> tuple[onnx.ModelProto, list[Note], bool]:
    """Return a model in its plain form, what was decided, and whether integers were its image."""
    where = str(path)
    model = structure.written_out(tensors.load(path, external=external), where)
    structure.put_in_order(model, where)
    notes = plain.only_scores(model)
    structure.put_in_order(model, where)
    if external:
        notes += plain.only_float32(model)
    pixels = plain.float_images(model)
    whole = {name for _, name in pixels}
    images = {one.name: one.name in whole for one in plain.images_of(model.graph)}
    return model, notes + pixels, all_or_none(images, where)


def _is_quantized(model: onnx.ModelProto) -> bool:
    makers = QUANTIZED - {"DequantizeLinear"}
    types = {value.type.tensor_type.elem_type for value in plain.images_of(model.graph)}
    return bool(types & {TensorProto.INT8, TensorProto.UINT8}) or any(
        node.op_type in makers for node in model.graph.node
    )


def _ends(graph: onnx.GraphProto) -> list[Problem]:
    """Return what is wrong with the model's inputs and outputs."""
    images = plain.images_of(graph)
    problems = []
    for what, values, most in (
        ("inputs", images, MAX_INPUTS),
        ("outputs", list(graph.output), MAX_OBSERVED),
    ):
        if not 1 <= len(values) <= most:
            names = ", ".join(value.name for value in values) or "the model"
            problems.append((f"{len(values)} {what}", names, f"1 to {most} are supported"))
    return problems + [problem for image in images if (problem := _no_image(image))]


def _no_image(value: onnx.ValueInfoProto) -> Problem | None:
    kind = value.type.tensor_type
    if kind.elem_type not in _IMAGES:
        known = kind.elem_type in TensorProto.DataType.values()
        name = TensorProto.DataType.Name(kind.elem_type).lower() if known else "of no known type"
        hint = "float32, uint8 and int8 are supported, others where they are cast to float first"
        return f"an input that is {name}", value.name, hint
    dims = kind.shape.dim
    shape = [dim.dim_value if dim.HasField("dim_value") else 0 for dim in dims]
    if len(shape) >= 2 and min(shape[1:]) >= 1 and shape[0] in (0, 1):
        return None
    shown = [dim.dim_value or dim.dim_param or "?" for dim in dims]
    hint = "export the model with batch 1 and the input size that the board will see"
    return f"an input shape {shown}, which is not one image of fixed size", value.name, hint


def _operators(model: onnx.ModelProto) -> list[Problem]:
    """Return the operators that are unknown, or that break ONNX's definition."""
    unknown = [
        (node.op_type if node.domain in _DOMAINS else f"{node.domain}.{node.op_type}", node)
        for node in model.graph.node
        if node.domain not in _DOMAINS or node.op_type not in KNOWN or structure.has_branches(node)
    ]
    if unknown:
        return [(what, structure.place(node), "") for what, node in unknown]
    return [*structure.misformed(model), *_second_results(model.graph)]


def _second_results(graph: onnx.GraphProto) -> list[Problem]:
    read = {name for node in graph.node for name in node.input}
    read.update(value.name for value in graph.output)
    return [
        (f"the second result of {node.op_type}", structure.place(node), "")
        for node in graph.node
        if node.op_type not in _SEVERAL_RESULTS and not read.isdisjoint(node.output[1:])
    ]


def _fix_batches(graph: onnx.GraphProto) -> None:
    """Set the images' batch to 1, and forget what other shapes the file tells."""
    for image in plain.images_of(graph):
        dim = image.type.tensor_type.shape.dim[0]
        dim.ClearField("dim_param")
        dim.dim_value = 1
    del graph.value_info[:]
    for output in graph.output:
        for dim in output.type.tensor_type.shape.dim:
            dim.ClearField("dim_value")
            dim.ClearField("dim_param")
