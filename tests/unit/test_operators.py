"""The table of operators is complete: no stage lacks one."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from edgesq.codegen.params.table import PARAMS
from edgesq.compress import float_ops
from edgesq.formats.onnx.table import FLOAT, INTEGER
from edgesq.formats.tflite.table import FITS, RANGES, READABLES
from edgesq.importers.network import Layer, Weighted
from edgesq.importers.onnx_file import KNOWN
from edgesq.importers.onnx_file.shapes import RULES
from edgesq.importers.operators.lookup import Requantize
from edgesq.importers.operators.table import KERAS, TFLITE
from edgesq.kernels import portable
from edgesq.operators import OPERATORS, READ_AS, Int16, Lookup, Mean, Op, Softmax, handler
from edgesq.reference.run import KERNELS
from support.paths import ROOT

STAGES: dict[str, Mapping[type[Op], Any]] = {
    "tflite": FITS,
    "reference": KERNELS,
    "compress": float_ops.OPERATORS,
    "codegen": PARAMS,
    "ONNX in integers": INTEGER,
    "ONNX in float32": FLOAT,
}
"""By name: the table from classes of operators to what the stage does with one."""


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_knows_every_operator(stage: str) -> None:
    for op in OPERATORS:
        assert handler(STAGES[stage], op)


def test_every_operator_is_read() -> None:
    assert set(READABLES) == set(READ_AS)


def test_every_operator_has_a_portable_kernel() -> None:
    """A function of each value is a table, a mean adds up rows: one function for all of these."""
    for op in OPERATORS:
        assert issubclass(op, Lookup | Mean) or handler(portable._NAMES, op)


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_knows_more(stage: str) -> None:
    known = {parent for op in OPERATORS for parent in op.__mro__}
    assert set(STAGES[stage]) <= known
    assert set(RANGES) <= known


def test_a_name_stands_for_one_class_but_for_groups_uint8_int16_and_means() -> None:
    kinds = [op.kind for op in OPERATORS if not issubclass(op, Int16)]
    assert {kind for kind in kinds if kinds.count(kind) > 1} == {
        "AVERAGE_POOL_2D",
        "CONV_2D",
        "MEAN",
    }


def test_a_stage_that_lacks_one_says_so() -> None:
    with pytest.raises(TypeError, match="nothing for Softmax"):
        handler({}, Softmax)


def test_the_reference_lists_what_is_read() -> None:
    text = (ROOT / "docs" / "reference" / "operators.md").read_text()
    listed = text.partition("| family | operators |")[2].partition("\n\n")[0]
    named = set(re.findall(r"\b[A-Z][A-Z0-9_]{2,}\b", listed))
    assert named == set(READABLES) - {"DEQUANTIZE"}, "DEQUANTIZE may only be the last operator"


def test_every_layer_of_an_import_can_be_made() -> None:
    layers = {*Layer.__subclasses__(), *Weighted.__subclasses__()} - {Weighted}
    assert set(TFLITE) == layers
    assert set(KERAS) == layers - {Requantize}, "floats have no scale to change"


def test_the_shape_of_every_known_onnx_operator_is_computed() -> None:
    assert set(RULES) >= KNOWN
