"""The numpy kernels equal TFLite's reference kernels on every tensor of every network."""

import numpy as np
import pytest

from edgesq.errors import ModelError
from edgesq.formats.tflite import ReferenceInterpreter, read_graph, read_stored_graph
from edgesq.graph import Int8Array
from edgesq.reference import SequenceRun, run_observed
from support.cases import NETWORKS
from support.ladder import LADDER, LadderModels
from support.networks import USUAL, Network, images


def assert_every_tensor_equal(content: bytes, inputs: Int8Array) -> None:
    graph = read_stored_graph(content)  # with the channels that the output does not need
    outputs = tuple(op.output for op in graph.ops)
    golden = ReferenceInterpreter(content).tensors(inputs, outputs, len(inputs))
    mine = list(SequenceRun(graph, len(inputs)).runs(inputs))
    differing = {}
    for op, expected in zip(graph.ops, golden, strict=True):
        got = np.stack([values[op.output].reshape(-1) for values in mine])
        differing[f"{op.kind} {op.output}"] = int(np.count_nonzero(got != expected))
    assert not any(differing.values()), differing


@pytest.mark.parametrize("name", NETWORKS)
def test_small_networks(name: str) -> None:
    content = NETWORKS[name]()
    graph = read_graph(content)
    assert_every_tensor_equal(content, images(graph.tensors[graph.input].hwc))


@pytest.mark.parametrize("name", NETWORKS)
def test_small_networks_show_something(name: str) -> None:
    """A network that gives the same values whatever it is shown would prove nothing."""
    if name == "softmax_of_one_channel":
        return
    graph = read_graph(NETWORKS[name]())
    (first, *_) = run_observed(graph, images(graph.tensors[graph.input].hwc))
    assert len(np.unique(first)) > 1
    assert len({row.tobytes() for row in first}) > 1


@pytest.mark.parametrize("name", LADDER)
def test_whole_networks(name: str, ladder_models: LadderModels) -> None:
    model = ladder_models[name]
    assert_every_tensor_equal(model.tflite, model.inputs[:2])


def flat_softmax(classes: int) -> tuple[bytes, Int8Array]:
    """A softmax, and one image for which all classes are equally likely."""
    net = Network((1, 1, classes), (0.01, 0))
    return net.build(net.softmax(net.input)), np.zeros((1, 1, 1, classes), np.int8)


def test_softmax_at_tflites_limit() -> None:
    content, inputs = flat_softmax(511)
    assert_every_tensor_equal(content, inputs)


def test_softmax_past_tflites_limit() -> None:
    """What ours give there: ladder/test_ladder.py."""
    content, inputs = flat_softmax(1000)
    with pytest.raises(ModelError, match="nearly as likely") as caught:
        ReferenceInterpreter(content).run(inputs)
    assert "\n" not in str(caught.value)


def test_many_classes_with_a_winner() -> None:
    _, inputs = flat_softmax(1000)
    inputs[..., 3] = 127
    net = Network((1, 1, 1000), (0.1, 0))
    assert_every_tensor_equal(net.build(net.softmax(net.input)), inputs)


def test_images_of_rank_2() -> None:
    net = Network((6,), USUAL)
    assert_every_tensor_equal(net.build(net.softmax(net.input)), images((1, 1, 6)))


def test_default_kernels_are_another_oracle() -> None:
    """They need not agree, but they must run, whatever the names of the tensors."""
    content = NETWORKS["strange_names"]()
    inputs = images((3, 3, 2))
    output = ReferenceInterpreter(content, optimized=True).run(inputs)
    golden = ReferenceInterpreter(content).run(inputs)
    assert np.abs(output.astype(int) - golden).max() < 16
