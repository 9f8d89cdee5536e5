"""Images of uint8 that a file casts to float32 before all else: pixels as they are.

They are read as int8 with steps of 1 from -128, and the CAST as a DEQUANTIZE, which makes the same
floats of them. What follows up to the QUANTIZE is a function of one value then, as elsewhere.
"""

from typing import Any

from edgesq.formats.tflite.check import listed
from edgesq.formats.tflite.reader import FLOAT32, INT8, UINT8, Reader

_VERSION = 2
"""The first of DEQUANTIZE that takes int8."""


def read_pixels(reader: Reader) -> None:
    """Change the inputs that are such images; the reader's notes say which."""
    for source in listed(reader.source.inputs):
        casts = [one for one in reader.source.operators if source in one.inputs]
        is_cast = casts and all(_is_cast(reader, one) for one in casts)
        if is_cast and reader.type(source) == UINT8:
            _change(reader, source, casts)
            what = "is uint8: pixels 0 to 255, whatever a manifest says"
            reader.notes.append(f"the image {reader.name(source)} {what}")


def _is_cast(reader: Reader, operator: Any) -> bool:
    """Say whether an operator is a CAST to float32, which looks at no scale of what it reads."""
    is_one = len(operator.inputs) == len(operator.outputs) == 1
    to_float = is_one and reader.type(operator.outputs[0]) == FLOAT32
    return to_float and reader.kind(operator) == "CAST"


def _change(reader: Reader, source: int, casts: list[Any]) -> None:
    from ai_edge_litert import schema_py_generated as schema

    tensor = reader.source.tensors[source]
    tensor.type, tensor.quantization = INT8, schema.QuantizationParametersT()
    tensor.quantization.scale, tensor.quantization.zeroPoint = [1.0], [-128]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = _VERSION
    number = len(reader.model.operatorCodes)
    reader.model.operatorCodes.append(code)
    for one in casts:
        one.opcodeIndex, one.builtinOptions, one.builtinOptionsType = number, None, 0
