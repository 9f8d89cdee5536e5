"""TFLite's reference kernels = numpy = integer ONNX = C with sanitizers, on whole networks."""

from dataclasses import replace

import numpy as np
import pytest

from edgesq.formats.onnx import integer_onnx, run_onnx
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Int8Array
from edgesq.operators import Add, Concatenation
from edgesq.plan import Bands, make_plan
from edgesq.reference import run_observed
from support.cases import NETWORKS
from support.crun import Runtime
from support.ladder import LADDER, MODELS, SHARED_NAMES, LadderModel, LadderModels, shared_model
from support.networks import Network, images
from support.sequence_cases import REMEMBERING

Outputs = tuple[Int8Array, ...]


@pytest.fixture(scope="module", params=LADDER)
def model(request: pytest.FixtureRequest, ladder_models: LadderModels) -> LadderModel:
    return ladder_models[request.param]


@pytest.fixture(scope="module")
def golden(model: LadderModel) -> Outputs:
    outputs = ReferenceInterpreter(model.tflite).observed(model.inputs)
    assert len(outputs) == 2 or model.name == "autoencoder", "the network ends in a softmax"
    seeded = model.name.startswith("squeezenet_v1.0")  # see test_c_before_the_classifier
    assert seeded or len(np.unique(outputs[-1])) > 4, "logits all alike show nothing"
    return outputs


def assert_same(outputs: Outputs, golden: Outputs) -> None:
    assert [output.shape for output in outputs] == [output.shape for output in golden]
    differing = [int(np.count_nonzero(a != b)) for a, b in zip(outputs, golden, strict=True)]
    assert not any(differing)


def test_numpy(model: LadderModel, golden: Outputs) -> None:
    assert_same(run_observed(read_graph(model.tflite), model.inputs), golden)


def test_integer_onnx(model: LadderModel, golden: Outputs) -> None:
    assert_same(run_onnx(integer_onnx(read_graph(model.tflite)), model.inputs), golden)


def test_c_with_sanitizers(model: LadderModel, golden: Outputs, runtime: Runtime) -> None:
    graph = read_graph(model.tflite)
    height = graph.tensors[graph.input].hwc[0]
    bands = (1,) if height > 100 else (1, height)
    for outputs in runtime.run(
        graph, [make_plan(graph, bands=Bands(band)) for band in bands], model.inputs
    ):
        assert_same(outputs, golden)


@pytest.mark.parametrize("name", [name for name in SHARED_NAMES if "v1.0" in name])
def test_c_before_the_classifier(name: str, ladder_models: LadderModels, runtime: Runtime) -> None:
    """These two have seeded weights and few different logits: look where values still vary."""
    model = ladder_models[name]
    graph = read_graph(model.tflite)
    last = max(k for k, op in enumerate(graph.ops) if isinstance(op, Concatenation))
    cut = replace(graph, ops=graph.ops[: last + 1], outputs=(graph.ops[last].output,))
    (golden,) = ReferenceInterpreter(model.tflite).tensors(model.inputs, (cut.output,))
    assert len(np.unique(golden)) > 60
    ((output,),) = runtime.run(cut, [make_plan(cut)], model.inputs)
    np.testing.assert_array_equal(output, golden)


@pytest.mark.parametrize("name", SHARED_NAMES)
def test_shared_expectations(name: str) -> None:
    """What another installation of TensorFlow Lite computed from the same file."""
    content = shared_model(name)
    with np.load(MODELS / f"{name}.npz") as archive:
        count = 1 if "224" in name else 8
        output = ReferenceInterpreter(content).run(archive["input"][:count])
        np.testing.assert_array_equal(output, archive["expected"][:count])


def test_the_ladder_has_bypasses(ladder_models: LadderModels) -> None:
    graphs = {name: read_graph(ladder_models[name].tflite) for name in LADDER if "bypass" in name}
    adds = {name: sum(isinstance(op, Add) for op in graph.ops) for name, graph in graphs.items()}
    assert adds["v1.0_simple_bypass"] == 4
    assert adds["v1.0_complex_bypass"] == 8
    assert min(adds.values()) == 4


@pytest.mark.parametrize("name", sorted(NETWORKS.keys() - REMEMBERING.keys()))
def test_integer_onnx_of_small_networks(name: str) -> None:
    """Numpy and C on the same ones: unit/reference/test_run.py and unit/plan/test_plan.py."""
    content = NETWORKS[name]()
    graph = read_graph(content)
    inputs = images(graph.tensors[graph.input].hwc)
    golden = ReferenceInterpreter(content).observed(inputs)
    for output, expected in zip(run_onnx(integer_onnx(graph), inputs), golden, strict=True):
        np.testing.assert_array_equal(output, expected)


def test_classes_all_alike(runtime: Runtime) -> None:
    """Past 511 of them TFLite shifts by 32 bits, and LiteRT aborts; we all give the true value."""
    net = Network((1, 1, 1000), (0.01, 0))
    graph = read_graph(net.build(net.softmax(net.input)))
    inputs = np.zeros((1, 1, 1, 1000), np.int8)
    forms = [
        run_observed(graph, inputs),
        run_onnx(integer_onnx(graph), inputs),
        *runtime.run(graph, [make_plan(graph)], inputs),
    ]
    for outputs in forms:
        assert np.all(outputs[0] == -128), "1/1000 is nearer to 0 than to 1/256"
