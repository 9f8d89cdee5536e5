"""The operators' tables: how ONNX's are taken, and how layers become Keras' or .tflite's."""

from edgesq.importers.operators import (
    along,
    binary,
    conv,
    dense,
    function,
    lookup,
    move,
    pool,
    reduce,
    resize,
    shape,
    softmax,
    transposed,
)
from edgesq.importers.operators.tables import KerasMakers, OnnxOperators, TfliteWriters

_FAMILIES = (
    along,
    binary,
    conv,
    dense,
    function,
    lookup,
    move,
    pool,
    reduce,
    shape,
    softmax,
    resize,
    transposed,
)

ONNX: OnnxOperators = {kind: taken for family in _FAMILIES for kind, taken in family.ONNX.items()}
KERAS: KerasMakers = {layer: make for family in _FAMILIES for layer, make in family.KERAS.items()}
TFLITE: TfliteWriters = {
    layer: write for family in _FAMILIES for layer, write in family.TFLITE.items()
}
