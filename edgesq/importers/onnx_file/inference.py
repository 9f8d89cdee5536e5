"""What each value of a file is before it runs: its shape and type, and the numbers of constants.

Sizes are held against the limits before anything of that size is made.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper

from edgesq.errors import ModelError
from edgesq.importers.onnx_file.shapes import RULES, parts, shape_values
from edgesq.importers.onnx_file.shapes_windows import products
from edgesq.importers.onnx_file.structure import place
from edgesq.importers.onnx_file.tensors import numbers
from edgesq.importers.onnx_file.view import Known, Shape, View, WrongError, counted
from edgesq.importers.quants import Array, Constant, read_quant
from edgesq.importers.supported import COMPUTED_BEFOREHAND, QUANTIZED
from edgesq.limits import MAX_PRODUCTS, MAX_VALUES_TOGETHER

_TYPES = {
    "ArgMax": np.int64,
    "DequantizeLinear": np.float32,
    "Equal": np.bool_,
    "Greater": np.bool_,
    "Less": np.bool_,
    "QLinearSoftmax": np.uint8,
    "Shape": np.int64,
    "Size": np.int64,
}
_FROM_SHAPES = ("Shape", "Size")
_RESULT_POINT = {"QuantizeLinear": 2, "QLinearConcat": 1, "QGemm": 8}
"""Where an operator's result has its zero point, if not at its usual place."""
_POINTS_LAST = frozenset(
    {
        "QLinearAveragePool",
        "QLinearGlobalAveragePool",
        "QLinearLeakyRelu",
        "QLinearReduceMean",
        "QLinearSigmoid",
        "QLinearSoftmax",
    }
)


def infer(model: onnx.ModelProto, where: str) -> dict[str, Known]:
    """Return what is known of every value of a model whose image has a fixed shape.

    Raises:
        ModelError: an operator's numbers contradict each other, or the model is too large.
    """
    graph = model.graph
    known = {tensor.name: _constant(numbers(tensor)) for tensor in graph.initializer}
    for value in graph.input:
        kind = value.type.tensor_type
        if value.name not in known:
            shape = tuple(dim.dim_value for dim in kind.shape.dim)
            dtype = np.dtype(helper.tensor_dtype_to_np_dtype(kind.elem_type))
            known[value.name] = Known(shape, dtype)
    sums = _Sums(where)
    what = "the image"
    try:
        for value in known.values():
            sums.add(what, () if value.values is not None else value.shape, 0)
        for node in graph.node:
            what = f"{node.op_type} ({place(node)})"
            _take(model, node, known, sums)
    except WrongError as error:
        hint = "the file contradicts itself, or is far too large; export it again"
        raise ModelError(f"{what}: {error}", where=where, hint=hint) from error
    return known


class _Sums:
    """How much the activations of a model hold and take together."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.values = self.products = 0

    def add(self, what: str, shape: Shape, work: int) -> None:
        """Count one more computed value."""
        self.values += counted(shape)
        self.products += work
        for count, most, unit in (
            (self.values, MAX_VALUES_TOGETHER, "values of activations"),
            (self.products, MAX_PRODUCTS, "multiplications"),
        ):
            if count > most:
                raise ModelError(
                    f"{count:,} {unit} up to {what}, {most:,} are the most", where=self.where
                )


def _take(
    model: onnx.ModelProto, node: onnx.NodeProto, known: dict[str, Known], sums: _Sums
) -> None:
    """Note what one operator makes."""
    version = next((item.version for item in model.opset_import if not item.domain), 1)
    view = View(node, known, version)
    made = tuple(int(extent) for extent in RULES[node.op_type](view))
    counted(made)
    is_constant = all(one is None or one.values is not None for one in view.inputs)
    if node.op_type in _FROM_SHAPES:
        known[node.output[0]] = _constant(shape_values(view))
        return
    if is_constant:
        sums.add(place(node), made, products(view, made))
        known.update(zip(node.output, _computed(model, node, view, made), strict=False))
        return
    dtype = _type_of(view)
    shapes = parts(view) if node.op_type == "Split" else [made]
    for name, shape in zip(node.output, shapes, strict=False):
        known[name] = Known(shape, dtype)
        sums.add(place(node), shape, products(view, shape))


def _type_of(view: View) -> np.dtype[Any]:
    """Return the type of an activation's numbers."""
    fixed = _TYPES.get(view.kind)
    if view.kind == "Cast":
        return _dtype(view.attributes.get("to", 0))
    if view.kind in QUANTIZED and view.kind != "DequantizeLinear":
        last = 4 if view.kind in _POINTS_LAST else 7
        point = view.given(_RESULT_POINT.get(view.kind, last))
        if view.kind == "QuantizeLinear" and view.attributes.get("output_dtype"):
            return _dtype(view.attributes["output_dtype"])
        if view.kind == "QGemm" and view.given(7) is None:
            return np.dtype(np.float32)
        return np.dtype(np.uint8) if point is None else point.dtype
    if fixed is not None:
        return np.dtype(fixed)
    return view.known(1 if view.kind == "Where" else 0).dtype


def _dtype(number: int) -> np.dtype[Any]:
    try:
        return np.dtype(helper.tensor_dtype_to_np_dtype(number))
    except KeyError as error:
        raise WrongError(f"type {number}") from error


def _computed(model: onnx.ModelProto, node: onnx.NodeProto, view: View, made: Shape) -> list[Known]:
    """Return what an operator gives of constants alone, by ONNX's reference implementation."""
    from onnx.reference import ReferenceEvaluator

    if node.op_type == "DequantizeLinear":
        return [_constant(_dequantized(view))]
    if node.op_type not in COMPUTED_BEFOREHAND:
        raise WrongError("of constants alone")
    given = {name: one.values for name, one in zip(node.input, view.inputs, strict=True) if one}
    versions = {item.domain: item.version for item in model.opset_import}
    try:
        with np.errstate(all="ignore"):
            found = ReferenceEvaluator(node, opsets=versions).run(None, given)
    # It raises whatever NumPy does, and errors of its own.
    except Exception as error:
        raise WrongError(f"cannot be computed: {' '.join(str(error).split())[:120]}") from error
    results = [_constant(np.asarray(values)) for values in found]
    if not results or results[0].shape != made:
        raise WrongError(f"does not make {list(made)}")
    return results


def _dequantized(view: View) -> Array:
    source, scale, point = view.known(0), view.known(1), view.given(2)
    assert source.values is not None
    assert scale.values is not None
    zero = None if point is None or point.values is None else Constant(point.values)
    axis = int(view.attributes.get("axis", 1))
    rank = len(source.shape)
    quant = read_quant(Constant(scale.values), zero, source.dtype, axis, rank)
    return Constant(source.values, quant).real()


def _constant(values: Array) -> Known:
    # ONNX's Gather before 1.23 fails on indices that are not contiguous.
    return Known(values.shape, values.dtype, np.asarray(values, order="C"))
