"""What keeps state: functions in 16 bits, and what happens from step to step."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgesq.calibrate import Preprocessing
from edgesq.codegen import generate
from edgesq.errors import ModelError
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.plan import make_plan
from edgesq.reference import run_observed
from edgesq.sequences import INT16_MAX, INT16_MIN, logistic_16, tanh_16
from support.crun import Runtime, compile_c, run_command
from support.networks import images
from support.paths import CKERNELS
from support.sequence_cases import REMEMBERING


def test_functions_of_16_bits_are_the_same_in_c(runtime: Runtime, tmp_path: Path) -> None:
    compile_c(CKERNELS / "fixed16.c", *runtime.runtime_objects, "-o", tmp_path / "fixed16")
    found = np.frombuffer(run_command(tmp_path / "fixed16"), np.int16).reshape(-1, 8)
    every = np.arange(INT16_MIN, INT16_MAX + 1)
    np.testing.assert_array_equal(found[:, 0], logistic_16(every))
    for bits in range(7):
        np.testing.assert_array_equal(found[:, 1 + bits], tanh_16(every, bits))


def test_functions_of_16_bits_are_what_they_are_called() -> None:
    """Off by a few steps of 2^-15, as gemmlowp is in 16 bits."""
    every = np.arange(INT16_MIN, INT16_MAX + 1)
    reals = every / 2**12
    assert np.abs(logistic_16(every) / 2**15 - 1 / (1 + np.exp(-reals))).max() < 8 / 2**15
    assert np.abs(tanh_16(every, 3) / 2**15 - np.tanh(reals)).max() < 16 / 2**15


def test_a_program_resets_the_state_by_the_models_own_name(
    runtime: Runtime, tmp_path: Path
) -> None:
    """Two images, a reset, two more: through NAME_app.c, by pixels of 0 to 255."""
    graph = read_graph(REMEMBERING["svdf"]())
    for file, text in generate(graph, make_plan(graph), "portable", "ear").items():
        (tmp_path / file).write_text(text)
    sources = (CKERNELS / "remembering.c", tmp_path / "ear_model.c", tmp_path / "ear_app.c")
    compile_c(*sources, *runtime.runtime_objects, f"-I{tmp_path}", "-o", tmp_path / "ear")
    pixels = np.random.default_rng(3).integers(0, 256, (4, *graph.image_shape)).astype(np.uint8)
    found = run_command(tmp_path / "ear", stdin=pixels.tobytes())
    tensor = graph.tensors[graph.input]
    grey = Preprocessing().to_int8(pixels[..., np.newaxis], tensor.scale, tensor.zero_point)
    assert found == run_observed(graph, grey[..., 0], 2)[0].tobytes()


def test_states_go_from_image_to_image_and_a_reset_ends_that() -> None:
    """BUILTIN_REF keeps its variables between two calls, also where an image has many steps."""
    for name, build in REMEMBERING.items():
        content = build()
        graph = read_graph(content)
        inputs = images(graph.image_shape, 6)
        reference = ReferenceInterpreter(content)
        for steps in (1, 3, len(inputs)):
            golden = reference.observed(inputs, steps)
            for output, expected in zip(run_observed(graph, inputs, steps), golden, strict=True):
                np.testing.assert_array_equal(output, expected, f"{name}, {steps}")
        alone, together = reference.observed(inputs, 1), reference.observed(inputs, len(inputs))
        changed = any(not np.array_equal(a, b) for a, b in zip(alone, together, strict=True))
        assert changed or name == "svdf_of_one_value", "with one value in time nothing is kept"


def _edited(name: str, change: Callable[[Any], None]) -> bytes:
    """Return a network with a changed first operator."""
    content = REMEMBERING[name]()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    change(model.subgraphs[0])
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _option(name: str, value: object) -> Callable[[Any], None]:
    return lambda graph: setattr(graph.operators[0].builtinOptions, name, value)


def _input(place: int, index: int) -> Callable[[Any], None]:
    def change(graph: Any) -> None:
        inputs = list(graph.operators[0].inputs)
        inputs[place] = index
        graph.operators[0].inputs = inputs

    return change


def _state(place: int, name: str, value: object) -> Callable[[Any], None]:
    return lambda graph: setattr(graph.tensors[graph.operators[0].inputs[place]], name, value)


def _cell_of(scale: float) -> Callable[[Any], None]:
    def change(graph: Any) -> None:
        state = graph.tensors[graph.operators[0].inputs[19]]
        state.quantization.scale = np.array([scale], np.float32)

    return change


def _no_intermediates(graph: Any) -> None:
    graph.operators[0].intermediates = None


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("svdf", _option("fusedActivationFunction", 0), "SVDF without RELU"),
        ("svdf", _option("rank", 3), "features of rank 3"),
        ("svdf", _option("rank", 0), "SVDF does not suit|of rank 0"),
        ("svdf", _input(2, -1), "int16 constants"),
        ("svdf", _input(4, -1), "no variable tensor of int16"),
        ("svdf", _state(4, "isVariable", False), "no variable tensor of int16"),
        ("svdf", _state(4, "type", schema.TensorType.INT8), "no variable tensor of int16"),
        ("svdf", _state(4, "shape", [1, 39]), "a state of 39 values"),
        ("lstm", _option("timeMajor", True), "not time first"),
        ("lstm", _option("cellClip", float("nan")), "clipped otherwise"),
        ("lstm", _option("projClip", 1.0), "clipped otherwise"),
        ("lstm", _input(1, -1), "lacks an input|coupled gates"),
        ("lstm", _input(9, 1), "peepholes"),
        ("lstm", _state(18, "type", schema.TensorType.INT16), "no variable tensor of int8"),
        ("lstm", _cell_of(0.0003), "no power of two"),
        ("lstm", _no_intermediates, "without intermediate tensors"),
    ],
)
def test_what_cannot_be_computed_is_refused(
    name: str, change: Callable[[Any], None], says: str
) -> None:
    with pytest.raises(ModelError, match=says):
        read_graph(_edited(name, change))
