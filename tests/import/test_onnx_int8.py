"""Int8 ONNX keeps its numbers, and then goes the whole ladder like any .tflite."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edgesq.errors import ModelError
from edgesq.formats.onnx import onnx_bytes, qdq_onnx, run_onnx
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Graph, Int8Array
from edgesq.importers.onnx import ImportedInt8, import_onnx
from support.cases import NETWORKS
from support.crun import Runtime
from support.emulated_cases import Case, differing
from support.graph_ladder import problems
from support.networks import images
from support.onnx_int8_cases import CASES
from support.onnx_models import lenet, mobilenet_v2, quantized, resnet_8, squeezenet
from support.onnx_quantized import RECTIFIED, QuantNetwork
from support.random_sketch import Drawn

MODELS: dict[str, Callable[[], onnx.ModelProto]] = {
    "squeezenet": lambda: squeezenet(opset=13),
    "mobilenet_v2": mobilenet_v2,
    "resnet_8": resnet_8,
    "lenet": lenet,
}
FORMS: dict[str, dict[str, Any]] = {
    "qdq": {"qdq": True},
    "qdq_per_channel_int8": {"qdq": True, "per_channel": True, "signed": True},
    "qoperator": {"qdq": False},
    "qoperator_per_channel_int8": {"qdq": False, "per_channel": True, "signed": True},
}
QUANTIZED = [f"{model}_{form}" for model in MODELS for form in FORMS]

ROUGH = {
    "concat_of_other_scales": (1, 0.3),
    "leaky_relu": (2, 0.15),
    "q_chain": (8, 0.9),
    "q_concat": (1, 0.3),
    "quantized_for_each_reader": (5, 0.3),
    "q_sigmoid": (2, 0.35),
    "q_softmax": (1, 0.4),
    "requantized": (3, 0.02),
    "tanh": (2, 0.2),
}
"""LSB, and share of values that differ, where one step is multiplied by what is behind it, or where
TensorFlow Lite rounds a small integer twice (QUANTIZE, LEAKY_RELU)."""


@dataclass(frozen=True, eq=False)
class Imported:
    """A file and what was made of it."""

    file: onnx.ModelProto
    made: ImportedInt8
    graph: Graph

    def images(self, count: int) -> Int8Array:
        shape = (count, *self.graph.tensors[self.graph.input].hwc)
        return np.random.default_rng(9).integers(-128, 128, shape).astype(np.int8)


class Importer:
    """Makes and imports each model on first use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[str, Imported] = {}

    def __getitem__(self, name: str) -> Imported:
        if name not in self.known:
            path = self.folder / f"{name}.onnx"
            onnx.save(CASES[name]() if name in CASES else self.quantized(name), path)
            made = import_onnx(path)
            assert isinstance(made, ImportedInt8)
            self.known[name] = Imported(onnx.load(path), made, read_graph(made.tflite))
        return self.known[name]

    @staticmethod
    def quantized(name: str) -> onnx.ModelProto:
        model = next(model for model in MODELS if name.startswith(model))
        return quantized(MODELS[model](), **FORMS[name.removeprefix(f"{model}_")])


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    return Importer(tmp_path_factory.mktemp("onnx"))


@pytest.mark.parametrize("name", [*CASES, *QUANTIZED])
def test_onnx_runtime_gives_nearly_the_same(name: str, imported: Importer) -> None:
    """What differs is rounding: one step of the value before a softmax."""
    it = imported[name]
    images = it.images(12)
    golden = ReferenceInterpreter(it.made.tflite).observed(images)
    theirs = it.made.original.run_int8(images, it.graph)
    assert len(theirs) == len(golden)
    most, share = ROUGH.get(name, (2, 0.6 if name in QUANTIZED else 0.2))
    for mine, other in zip(golden[-1:], theirs[-1:], strict=True):
        gap = np.abs(mine.astype(int) - other)
        assert len(np.unique(mine)) > 10
        assert gap.max() <= most
        assert np.mean(gap > 0) < share


@pytest.mark.parametrize("name", QUANTIZED)
def test_numbers_are_the_files(name: str, imported: Importer) -> None:
    """Every weight, scale and zero point of the .tflite stands in the .onnx."""
    it = imported[name]
    values = [numpy_helper.to_array(constant) for constant in it.file.graph.initializer]
    kernels = {
        np.ascontiguousarray(value.transpose(order)).tobytes()
        for value in values
        for order in ((0, 2, 3, 1), (1, 2, 3, 0))
        if value.dtype == np.int8 and value.ndim == 4
    }
    matrices = [value for value in values if value.dtype == np.int8 and value.ndim == 2]
    kernels |= {np.sort(rows).tobytes() for value in matrices for rows in (value, value.T)}
    biases = {value.tobytes() for value in values if value.dtype == np.int32}
    scales = {float(scale) for value in values if value.dtype == np.float32 for scale in value.flat}
    points = {int(point) for value in values if value.ndim < 2 for point in value.flat}
    offset = 0 if name.endswith("int8") else 128
    for tensor in it.graph.tensors:
        if tensor.data is None:
            assert tensor.scale in scales or tensor.quantization.scale == (1 / 256,)
            assert tensor.zero_point + offset in points or tensor.zero_point == -128
        elif tensor.data.dtype == np.int32:
            assert tensor.data.tobytes() in biases
        else:
            rows = np.sort(
                tensor.data.reshape(len(tensor.data), -1)
            )  # a map's order may be another
            assert {tensor.data.tobytes(), rows.tobytes()} & kernels
            assert set(tensor.quantization.scale) <= scales


def test_the_whole_ladder(imported: Importer, runtime: Runtime, tmp_path: Path) -> None:
    names = [*CASES, *QUANTIZED]
    drawn = [Drawn(imported[name].made.tflite, name, 1) for name in names]
    found = dict(zip(names, problems(runtime, tmp_path, drawn), strict=True))
    assert {name: problem for name, problem in found.items() if problem} == {}


@pytest.mark.emulated
@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an500", "mps3-an547"])
def test_boards(board: str, imported: Importer, tmp_path: Path) -> None:
    """One firmware image with every case and every model."""
    cases = [
        Case(name, imported[name].graph, imported[name].images(2)) for name in (*CASES, *QUANTIZED)
    ]
    assert differing(tmp_path, board, cases) == []


def test_notes_say_what_the_file_left_open(imported: Importer) -> None:
    assert imported["mean_and_softmax_in_float"].made.notes == (
        "GlobalAveragePool in float takes the scale of its input: "
        "globalaveragepool6_GlobalAveragePool",
        "Softmax in float became int8 in steps of 1/256: softmax7_Softmax",
    )
    assert imported["weights_uint8"].made.notes == (
        "weights less their zero points, which is exact: conv3_Conv",
    )
    assert "not of 0.00392157" in imported["q_softmax"].made.notes[0]
    assert imported["q_signed"].made.notes == ()


def residual(net: QuantNetwork) -> onnx.ModelProto:
    """As toolkits for GPUs quantize: what convolutions read, and nothing else."""
    step = net.qdq_conv(net.image(), 6, None)
    inner = net.node("Conv", net.between(net.relu(step), RECTIFIED), net.kernel(6, 6, 1, 1))
    net.channels[inner] = 6
    step = net.between(net.relu(net.node("Add", step, inner)), RECTIFIED)
    return net.finished(net.node("Conv", step, net.kernel(4, 6, 1, 1), channels=4))


def test_images_find_scales_that_the_file_lacks(tmp_path: Path) -> None:
    path = tmp_path / "residual.onnx"
    onnx.save(residual(QuantNetwork()), path)
    with pytest.raises(ModelError, match=r"Conv without a scale \(conv3_Conv, .*--calibration"):
        import_onnx(path)
    floats = np.random.default_rng(3).uniform(-1, 1, (20, 6, 7, 3)).astype(np.float32)
    made = import_onnx(path, lambda _: [floats])
    assert isinstance(made, ImportedInt8)
    assert made.notes[0].startswith("Conv without a scale got one by the calibration images: ")
    graph = read_graph(made.tflite)
    source = graph.tensors[graph.input]
    levels = np.round(floats / source.scale) + source.zero_point
    images = np.clip(levels, -128, 127).astype(np.int8)
    (mine,) = ReferenceInterpreter(made.tflite).observed(images)
    (theirs,) = made.original.run_int8(images, graph)
    assert len(np.unique(mine)) > 200, "the range is used"
    assert np.abs(mine.astype(int) - theirs).max() <= 4


ONE_WAY = {
    "concat_of_a_quantized_image": "a QUANTIZE straight after another one is taken as one",
    **dict.fromkeys(
        (
            *("floats_between_int8", "lookup_rsqrt", "lookup_sqrt", "lookups_in_place"),
            *("squared_difference_of_two_scales", "swish_whose_sigmoid_is_read_too"),
        ),
        "a function's steps have no scales there",
    ),
    "lookup_gelu": "a function's steps have no scales there",
    "prelu_of_channels": "slopes come back in steps of their own",
    "reshape_only": "nothing is computed",
    "selu_of_seven_operators": "a function's steps have no scales there",
    "softmax_of_every_pixel": "ONNX's Softmax has no beta",
    "softmax_sharp": "ONNX's Softmax has no beta",
    "softplus_of_three_operators": "a function's steps have no scales there",
    "softsign_divides": "a function's steps have no scales there",
    "transposed_image": "ONNX's import stores the image as its first operator wants it",
}
"""Networks whose QDQ form is not taken as the same .tflite, and why."""


@pytest.mark.parametrize("name", sorted(NETWORKS.keys() - ONE_WAY))
def test_a_tflite_written_as_qdq_comes_back(name: str, tmp_path: Path) -> None:
    """The numbers are the same, and ONNX Runtime is at most four levels off.

    What keeps state is refused by its name: QDQ has no place for it.
    """
    content = NETWORKS[name]()
    graph, path = read_graph(content), tmp_path / "model.onnx"
    if graph.stateful:
        with pytest.raises(ModelError, match="keeps state"):
            qdq_onnx(graph)
        return
    path.write_bytes(onnx_bytes(qdq_onnx(graph)))
    inputs = images(graph.tensors[graph.input].hwc)
    golden = ReferenceInterpreter(content).observed(inputs)
    (near,) = run_onnx(path.read_bytes(), inputs)
    assert np.abs(near.reshape(golden[0].shape).astype(int) - golden[0]).max() <= 4
    made = import_onnx(path)
    assert isinstance(made, ImportedInt8)
    for expected, mine in zip(
        golden, ReferenceInterpreter(made.tflite).observed(inputs), strict=True
    ):
        np.testing.assert_array_equal(mine, expected)
