"""Networks with several inputs and outputs: what is read, computed, planned, told and refused."""

from pathlib import Path

import numpy as np
import pytest

from edgesq.calibrate import Preprocessing, judge_of, read_inputs, wanted_of
from edgesq.codegen import generate
from edgesq.errors import ImageError, ModelError
from edgesq.formats.onnx import integer_onnx, qdq_onnx, run_onnx
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.plan import make_plan
from edgesq.reference import run_observed
from support.networks import USUAL, Network, images


def detector() -> bytes:
    """Heads at two scales; the finer map is read on."""
    net = Network((12, 12, 3))
    fine = net.conv(net.input, 8, (3, 3), (2, 2))
    coarse = net.conv(fine, 8, (3, 3), (2, 2))
    heads = [net.softmax(net.conv(map_, 4)) for map_ in (fine, coarse)]
    return net.build(fine, *heads, net.conv(coarse, 4))


def two_images() -> bytes:
    net = Network((12, 12, 3))
    other = net.beside((12, 12, 3))
    return net.build(net.conv(net.concat([net.input, other]), 4, (3, 3)))


def image_and_vector() -> bytes:
    net = Network((6, 6, 3))
    vector = net.beside((8,))
    pixel = net.mean(net.conv(net.input, 8), USUAL)
    return net.build(net.dense(net.concat([pixel, net.dense(vector, 8)]), 3), pixel)


NETWORKS = {"detector": detector, "two": two_images, "vector": image_and_vector}


@pytest.mark.parametrize("name", NETWORKS)
def test_all_forms_agree(name: str) -> None:
    content = NETWORKS[name]()
    graph = read_graph(content)
    given = images(graph.image_shape)
    golden = ReferenceInterpreter(content).observed(given)
    for form in (run_observed(graph, given), run_onnx(integer_onnx(graph), *graph.columns(given))):
        for mine, theirs in zip(form, golden, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    twin = run_onnx(qdq_onnx(graph), *graph.columns(given))
    for mine, theirs in zip(twin, golden[: len(graph.outputs)], strict=True):
        gap = np.abs(mine.reshape(theirs.shape).astype(int) - theirs)
        assert gap.max() <= 4
    for image in given:
        np.testing.assert_array_equal(graph.join(graph.split(image)), image)


def test_names_and_order() -> None:
    graph = read_graph(detector())
    outputs, logits = ("output0", "output1", "output2", "output3"), ("logits1", "logits2")
    assert graph.observed_names == outputs + logits
    assert isinstance(judge_of(graph), str), "several outputs are no class"
    graph = read_graph(image_and_vector())
    assert graph.input == graph.inputs[0]
    assert graph.sent == graph.inputs[::-1], "the vector comes first"
    assert graph.input_rows[0] == (graph.inputs[1], 0)


def test_two_images_beside_each_other_are_not_kept() -> None:
    graph = read_graph(two_images())
    plan = make_plan(graph)
    assert [row for row, _ in graph.input_rows[:4]] == [*graph.inputs, *graph.inputs]
    for source in graph.inputs:
        slot = plan.slots[source]
        assert slot is not None
        assert plan.rings[slot.storage].ring_rows <= 3


def test_the_header_names_all() -> None:
    graph = read_graph(image_and_vector())
    header = generate(graph, make_plan(graph), "portable", "my")["my_model.h"]
    for name in ("INPUT_0_SCALE", "INPUT_1_HEIGHT", "OUTPUT_1_ZERO_POINT", "INPUT_0_NAME"):
        assert f"MY_MODEL_{name} " in header
    assert "MY_MODEL_INPUT_SHAPES {{1, 1, 8}, {6, 6, 3}}" in header
    assert "my_set_input(" in header
    assert "my_output_of(" in header


def test_arrays_of_each_input(tmp_path: Path) -> None:
    graph = read_graph(image_and_vector())
    pixels = np.random.default_rng(0).integers(0, 256, (3, 6, 6, 3)).astype(np.uint8)
    reals = np.linspace(-3, 3, 24).reshape(3, 8).astype(np.float32)
    np.savez(tmp_path / "good.npz", input0=pixels, input1=reals)
    found = read_inputs(tmp_path / "good.npz", wanted_of(graph)).int8(graph, Preprocessing())
    vector = graph.tensors[graph.inputs[1]]
    expected = np.clip(np.round(reals / vector.scale) + vector.zero_point, -128, 127)
    np.testing.assert_array_equal(graph.columns(found)[1].reshape(3, 8), expected)
    for name, arrays, says in (
        ("one", {"input0": pixels}, "holds no array called input1"),
        ("short", {"input0": pixels, "input1": reals[:2]}, "of 2 and 3 images"),
        ("flat", {"input0": pixels, "input1": reals[:, :5]}, r"input1 is float32 \[3, 5\]"),
    ):
        np.savez(tmp_path / name, **arrays)
        with pytest.raises(ImageError, match=says):
            read_inputs(tmp_path / f"{name}.npz", wanted_of(graph))
    with pytest.raises(ImageError, match="a folder of images is for a model with one input"):
        read_inputs(tmp_path, wanted_of(graph))


def test_an_input_that_nothing_reads() -> None:
    net = Network((4, 4, 3))
    net.beside((5,))
    with pytest.raises(ModelError, match="is read by nothing"):
        read_graph(net.build(net.conv(net.input, 2)))


def test_an_output_that_is_an_input() -> None:
    net = Network((4, 4, 3))
    with pytest.raises(ModelError, match="is not computed"):
        read_graph(net.build(net.conv(net.input, 2), net.input))
