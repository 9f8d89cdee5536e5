"""Which ONNX operators are taken besides those between activations, and what to do about others."""

from __future__ import annotations

from collections.abc import Iterable

from edgesq.errors import ModelError
from edgesq.importers.qoperators import FORMS

SHAPES_ONLY = frozenset({"Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})
"""Operators that move no value to another place in memory, or only so that weights can follow."""

PASSED = frozenset({"Dropout", "Identity"})

COMPUTED_BEFOREHAND = (
    SHAPES_ONLY
    | PASSED
    | {
        "Abs",
        "Add",
        "And",
        "Cast",
        "Ceil",
        "Clip",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "Div",
        "Equal",
        "Exp",
        "Expand",
        "Floor",
        "Gather",
        "Greater",
        "Less",
        "Max",
        "Min",
        "Mod",
        "Mul",
        "Neg",
        "Not",
        "Or",
        "Pad",
        "Pow",
        "QuantizeLinear",
        "Range",
        "Reciprocal",
        "ReduceMax",
        "ReduceMean",
        "ReduceProd",
        "ReduceSum",
        "Relu",
        "Round",
        "Shape",
        "Size",
        "Slice",
        "Split",
        "Sqrt",
        "Sub",
        "Tile",
        "Where",
    }
)
"""Taken where they give constants, such as sizes for a Reshape or folded weights."""

QUANTIZED = frozenset({"DequantizeLinear", "QuantizeLinear", *FORMS})

_STATIC = "quantize with fixed scales: onnxruntime.quantization.quantize_static"
ADVICE = {
    "ConvInteger": _STATIC,
    "DynamicQuantizeLinear": _STATIC,
    "DynamicQuantizeLSTM": _STATIC,
    "DynamicQuantizeMatMul": _STATIC,
    "Erf": "train with Relu, LeakyRelu or HardSwish instead of GELU",
    "GRU": "recurrent layers cannot be used",
    "InstanceNormalization": "train with BatchNormalization",
    "LRN": "train with BatchNormalization",
    "LSTM": "recurrent layers cannot be used",
    "LayerNormalization": "train with BatchNormalization",
    "Loop": "unroll it before exporting",
    "MatMulInteger": _STATIC,
    "NonMaxSuppression": "cut the model before it",
    "TopK": "cut the model before it",
}
"""What to do about operators that cannot be taken."""

_ELSE = "rewrite it by the operators that are known, or cut the model before it"


def refusal(problems: Iterable[tuple[str, str, str]], where: str) -> ModelError:
    """Return the error that names everything which cannot be taken.

    Args:
        problems: what, where in the model, and what to do ("": what the table says).
        where: the file.
    """
    places: dict[str, list[str]] = {}
    advice: dict[str, str] = {}
    for what, place, do in problems:
        places.setdefault(what, []).append(place)
        advice.setdefault(what, do or ADVICE.get(what, _ELSE))
    listed = "; ".join(f"{what} ({', '.join(names)})" for what, names in places.items())
    ways = set(advice.values())
    hint = "; ".join(f"{what}: {do}" for what, do in advice.items())
    return ModelError(
        f"cannot be taken: {listed}", where=where, hint=ways.pop() if len(ways) == 1 else hint
    )
