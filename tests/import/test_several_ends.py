"""Several inputs and outputs from ONNX and SavedModels: names, order, ladder, what is refused."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgesq.builds import ExportOptions, ensure_compiled, export, load_graph
from edgesq.errors import EdgesqError, ModelError
from edgesq.flash import flash
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Graph
from edgesq.importers.onnx import TOLERANCE, ImportedFloat, ImportedInt8, import_onnx
from edgesq.quantize import load_keras, load_saved_model, to_int8_tflite
from edgesq.targets import load_target
from edgesq.verify import VerifyOptions, verify
from support.builds import stop_and_check
from support.crun import Runtime
from support.emulated_cases import Case, differing
from support.graph_ladder import problems
from support.networks import images
from support.onnx_ends import NETWORKS, image_and_measures, two_images
from support.onnx_models import OnnxNetwork, noises, quantized
from support.onnx_quantized import USUAL, QuantNetwork
from support.random_sketch import Drawn

pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")

FORMS: dict[str, dict[str, Any]] = {
    "qdq": {"qdq": True, "per_channel": True, "signed": True},
    "qoperator": {"qdq": False},
}
INT8 = [f"{name} {form}" for name in NETWORKS for form in FORMS]
SHAPES = {"left": (8, 10, 3), "right": (8, 10, 3), "speed": (4,)}


def saved(folder: Path) -> Any:
    """Write a SavedModel with three inputs and eleven outputs; return the Keras model."""
    import keras

    keras.utils.set_random_seed(8)
    layers = keras.layers
    left, right, speed = (keras.Input(shape, name=name) for name, shape in SHAPES.items())
    both = layers.Conv2D(4, 3, 2, activation="relu")(layers.Concatenate()([left, right]))
    row = layers.Concatenate()([layers.GlobalAveragePooling2D()(both), layers.Dense(3)(speed)])
    ends = [layers.Dense(number + 2)(row) for number in range(9)]
    model = keras.Model(
        [left, right, speed], [both, layers.Dense(4, activation="softmax")(row), *ends]
    )
    model.export(folder, verbose=False)
    return model


def floats(shapes: list[tuple[int, ...]], count: int) -> list[Any]:
    random = np.random.default_rng(3)
    return [random.uniform(-1, 1, (count, *shape)).astype(np.float32) for shape in shapes]


class Importer:
    """Makes and imports each model on first use."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.known = folder, dict[str, Any]()

    def path(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '_')}.onnx"

    def __getitem__(self, name: str) -> Any:
        if name not in self.known:
            network, _, form = name.partition(" ")
            model = NETWORKS[network]()
            onnx.save(quantized(model, **FORMS[form]) if form else model, self.path(name))
            self.known[name] = import_onnx(self.path(name))
        return self.known[name]

    def tflite(self, name: str) -> bytes:
        made = self[name]
        if isinstance(made, ImportedInt8):
            return made.tflite
        rows = zip(*floats([one.shape[1:] for one in made.keras.inputs], 6), strict=True)
        given = ([part[np.newaxis] for part in row] for row in rows)
        if len(made.keras.inputs) == 1:
            return to_int8_tflite(made.keras, (row[0] for row in given))
        return to_int8_tflite(made.keras, given)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    return Importer(tmp_path_factory.mktemp("onnx"))


@pytest.fixture(scope="module")
def from_saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("saved")
    saved(folder / "model")
    loaded = load_saved_model(folder / "model").keras
    rows = zip(*floats(list(SHAPES.values()), 6), strict=True)
    return to_int8_tflite(loaded, ([part[np.newaxis] for part in row] for row in rows))


@pytest.mark.parametrize("name", NETWORKS)
def test_float_equals_onnx_runtime(name: str, imported: Importer) -> None:
    import onnxruntime

    made = imported[name]
    assert isinstance(made, ImportedFloat)
    session = onnxruntime.InferenceSession(imported.path(name), providers=["CPUExecutionProvider"])
    for row in zip(*noises(onnx.load(imported.path(name)), 2).values(), strict=True):
        names = [source.name for source in session.get_inputs()]
        theirs = session.run(None, dict(zip(names, row, strict=True)))
        pixels = [
            image.transpose(0, 2, 3, 1) if image.ndim == 4 and image.shape[3] != 3 else image
            for image in row
        ]
        results = made.keras(pixels if len(pixels) > 1 else pixels[0])
        results = results if isinstance(results, list) else [results]
        for mine, other in zip(results, theirs, strict=True):
            wanted = other.transpose(0, 2, 3, 1) if other.ndim == 4 else other
            assert wanted.std() > 0
            gap = np.abs(np.asarray(mine).reshape(wanted.shape) - wanted).max()
            assert gap <= TOLERANCE * np.abs(wanted).max()


@pytest.mark.parametrize("name", INT8)
def test_onnx_runtime_gives_nearly_the_same(name: str, imported: Importer) -> None:
    made = imported[name]
    assert isinstance(made, ImportedInt8)
    graph = read_graph(made.tflite)
    given = images(graph.image_shape, 8)
    golden = ReferenceInterpreter(made.tflite).observed(given)
    theirs = made.original.run_int8(given, graph)
    assert len(theirs) == len(graph.observed)
    for index, mine, other in zip(graph.observed, golden, theirs, strict=True):
        if graph.logits_of(index) is None:  # a softmax multiplies a step
            assert len(np.unique(mine)) > 10
            assert np.abs(mine.astype(int) - other).max() <= 4


def test_names_and_order(imported: Importer, from_saved: bytes) -> None:
    graph = read_graph(imported.tflite("image_and_measures qdq"))
    assert named(graph) == {"image": (9, 8, 3), "input.1": (1, 1, 6)}
    names = [one.name for one in imported["two_images"].keras.inputs]
    assert names == ["image", "other_image"]
    shapes = [graph.tensors[index].hwc for index in graph.outputs]
    assert shapes == [(1, 1, 4), (1, 1, 2)]
    graph = read_graph(imported.tflite("detector"))
    hwc = [graph.tensors[index].hwc for index in graph.outputs]
    assert hwc == [(8, 6, 8), (1, 1, 5), (4, 3, 3), (4, 3, 4)], "rows of boxes stay the map"
    assert graph.observed_names == ("output0", "output1", "output2", "output3", "logits1")
    graph = read_graph(from_saved)
    assert named(graph) == {"left": (8, 10, 3), "right": (8, 10, 3), "speed": (1, 1, 4)}
    values = [graph.tensors[index].hwc[2] for index in graph.outputs]
    assert values == [4, 4, *range(2, 11)], "output_10 comes behind output_9"


def named(graph: Graph) -> dict[str, tuple[int, ...]]:
    return {graph.tensors[index].name: graph.tensors[index].hwc for index in graph.inputs}


def test_the_whole_ladder(
    imported: Importer, from_saved: bytes, runtime: Runtime, tmp_path: Path
) -> None:
    contents = {name: imported.tflite(name) for name in (*NETWORKS, *INT8)}
    contents["saved"] = from_saved
    drawn = [Drawn(content, name, 1) for name, content in contents.items()]
    found = dict(zip(contents, problems(runtime, tmp_path, drawn), strict=True))
    assert {name: problem for name, problem in found.items() if problem} == {}


@pytest.mark.emulated
@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an500", "mps3-an547"])
def test_boards(board: str, imported: Importer, from_saved: bytes, tmp_path: Path) -> None:
    contents = {name: imported.tflite(name) for name in (*NETWORKS, *INT8)}
    graphs = {name: read_graph(one) for name, one in {**contents, "saved": from_saved}.items()}
    cases = [Case(name, one, images(one.image_shape, 2)) for name, one in graphs.items()]
    assert differing(tmp_path, board, cases) == []


@pytest.mark.emulated
@pytest.mark.parametrize("form", ["float", "qdq", "saved"])
def test_from_arrays_to_the_board(form: str, tmp_path: Path) -> None:
    """As a user has it: the file, an .npz by the inputs' names, an export, a board."""
    target, out = load_target("mps2-an500"), tmp_path / "build"
    for tool in (target.compiler, "cmake", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    path, arrays = tmp_path / "model.onnx", tmp_path / "arrays.npz"
    shapes = {"image": (9, 8, 3), "input.1": (6,)}
    if form == "saved":
        path, shapes = tmp_path / "saved", SHAPES
        saved(path)
    else:
        model = image_and_measures()
        onnx.save(quantized(model) if form == "qdq" else model, path)
    given = dict(zip(shapes, floats(list(shapes.values()), 12), strict=True))
    np.savez(arrays, **given)
    report = export(ExportOptions(path, arrays, target, out), lambda _: None)
    rows = {row.name: row for row in report.parity.rows}
    assert rows["C runtime on this computer"].differing == 0
    assert rows["ONNX, integer operators"].differing == 0
    near = rows["ONNX Runtime, the file itself" if form == "qdq" else "float Keras"]
    assert near.differing is not None
    assert near.max_lsb is not None
    assert near.max_lsb <= 4
    flash(out, ensure_compiled(out, target, lambda _: None))
    try:
        result = verify(VerifyOptions(out, images=arrays, count=3, timeout=60))
    finally:
        stop_and_check(out)
    assert (result.result.exact_images, result.result.differing_values) == (3, 0)


def partly_quantized() -> onnx.ModelProto:
    """A sum of two inputs without a scale; the inputs have none either."""
    net = QuantNetwork()
    other = net.beside("second", (3, 6, 7))
    step = net.node("Add", net.input, other)
    return net.model(net.between(net.node("Conv", step, net.kernel(4, 3, 1, 1), channels=4), USUAL))


def test_arrays_find_scales_that_the_file_lacks(tmp_path: Path) -> None:
    path, arrays = tmp_path / "model.onnx", tmp_path / "arrays.npz"
    onnx.save(partly_quantized(), path)
    with pytest.raises(ModelError, match=r"the image without a scale \(image, second\)"):
        load_graph(path, lambda _: None)
    one, two = floats([(6, 7, 3)] * 2, 9)
    np.savez(arrays, image=one, second=two * 3)
    export(ExportOptions(path, arrays, load_target("host"), tmp_path / "out"), lambda _: None)
    graph = read_graph((tmp_path / "out" / "model_int8.tflite").read_bytes())
    scales = [graph.tensors[index].scale for index in graph.inputs]
    ranges = [float(part.max() - part.min()) for part in (one, two * 3)]
    np.testing.assert_allclose(scales, np.array(ranges) / 255, rtol=1e-5)


# What is refused, by one true sentence


def unread() -> onnx.ModelProto:
    model = two_images()
    model.graph.input.append(helper.make_tensor_value_info("idle", TensorProto.FLOAT, [1, 3]))
    return model


def given_back() -> onnx.ModelProto:
    model = two_images()
    model.graph.output.append(helper.make_tensor_value_info("image", TensorProto.FLOAT, None))
    return model


def twice() -> onnx.ModelProto:
    net = OnnxNetwork((3, 6, 7))
    step = net.conv(net.input, 4)
    return net.model(step, net.node("Identity", step))


def whole_numbers_beside() -> onnx.ModelProto:
    net = OnnxNetwork((3, 6, 7))
    other = net.beside("pixels", (3, 6, 7))
    cast = net.node("Cast", other, to=TensorProto.FLOAT)
    model = net.model(net.conv(net.concat(net.input, cast), 4))
    model.graph.input[1].type.tensor_type.elem_type = TensorProto.UINT8
    return model


def nine_inputs() -> onnx.ModelProto:
    net = OnnxNetwork((3, 6, 7))
    others = [net.beside(f"in{number}", (3, 6, 7)) for number in range(8)]
    return net.model(net.conv(net.concat(net.input, *others), 4))


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (unread, "the input idle is read by nothing"),
        (given_back, "the output image is not computed"),
        (twice, r"a result that is another one too \(/conv0/Conv_output_0\)"),
        (whole_numbers_beside, "takes whole numbers as pixels, and floats beside them"),
        (nine_inputs, r"9 inputs \(image, in0, .*1 to 8 are supported"),
    ],
)
def test_refused(build: Any, says: str, tmp_path: Path) -> None:
    onnx.save(build(), tmp_path / "model.onnx")
    with pytest.raises(ModelError, match=says):
        import_onnx(tmp_path / "model.onnx")


def test_an_unread_input_of_a_saved_model(tmp_path: Path) -> None:
    import tensorflow as tf

    spec = [tf.TensorSpec((None, 4, 5, 3), tf.float32, name=name) for name in ("one", "two")]
    function = tf.function(lambda one, two: (one * 2.0, two)[0], input_signature=spec)
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures=function.get_concrete_function())
    with pytest.raises(ModelError, match="the input two is read by nothing"):
        load_saved_model(tmp_path)


def test_arrays_that_do_not_fit(tmp_path: Path) -> None:
    onnx.save(image_and_measures(), tmp_path / "model.onnx")
    np.savez(tmp_path / "arrays.npz", image=np.zeros((3, 9, 8, 3), np.uint8))
    options = ExportOptions(
        tmp_path / "model.onnx", tmp_path / "arrays.npz", load_target("host"), tmp_path / "out"
    )
    with pytest.raises(EdgesqError, match=r"holds no array called input.1 .*input.1 \['n', 6\]"):
        export(options, lambda _: None)


@pytest.mark.parametrize(("types", "takes"), [(("uint8",) * 2, True), (("float32",) * 2, False)])
def test_keras_inputs_of_whole_numbers(types: tuple[str, str], takes: bool, tmp_path: Path) -> None:
    pair(types, tmp_path / "a.keras")
    assert load_keras(tmp_path / "a.keras").takes_pixels == takes


def test_keras_inputs_of_whole_numbers_beside_floats(tmp_path: Path) -> None:
    pair(("uint8", "float32"), tmp_path / "a.keras")
    with pytest.raises(ModelError, match="takes whole numbers as in0, and floats beside them"):
        load_keras(tmp_path / "a.keras")


def pair(types: tuple[str, str], path: Path) -> None:
    """Write a Keras model with two images of these types."""
    import keras

    layers = keras.layers
    ends = [
        keras.Input((5, 6, 3), dtype=kind, name=f"in{number}") for number, kind in enumerate(types)
    ]
    scaled = [layers.Rescaling(1 / 255)(end) for end in ends]
    keras.Model(ends, layers.Conv2D(4, 3)(layers.Concatenate()(scaled))).save(path)
