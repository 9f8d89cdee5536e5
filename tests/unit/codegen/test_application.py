"""The application's side: what the header says of the model, pixels in, a class or reals out."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from edgesq.calibrate import Preprocessing, judge_of
from edgesq.codegen import generate, generate_tflm
from edgesq.codegen.text import real32
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph, Tensor
from edgesq.plan import PlanRequest, make_plan
from edgesq.reference import run_observed
from edgesq.resources import resource
from support.cases import NETWORKS
from support.crun import compile_c, run_command
from support.emulated_cases import all_streamed
from support.libraries import Library, damage
from support.networks import FINER, RECTIFIED, Network, Quant
from support.paths import CKERNELS, ROOT

FIRMWARE = resource("firmware")
CAFFE = Preprocessing("bgr", (103.939, 116.779, 123.68), 1 / 127.5)
SIGMOID: Quant = (1 / 256, -128)


def measures(outputs: int = 1, channels: int = 3) -> Network:
    net = Network((6, 5, channels), FINER)
    net.dense(net.mean(net.conv(net.input, 7, (3, 3), quant=RECTIFIED)), outputs)
    return net


def regression(outputs: int = 1, channels: int = 3) -> bytes:
    net = measures(outputs, channels)
    return net.build(max(net.shapes))


def sigmoid(quant: Quant = (0.05, -5)) -> bytes:
    net = Network((1, 1, 1), quant)
    return net.build(net.unary(net.input, "LOGISTIC", SIGMOID))


def softmax_of_pixels() -> bytes:
    net = Network((1, 1, 6), (0.02, -3))
    return net.build(net.softmax(net.input))


MODELS: dict[str, Callable[[], bytes]] = {
    "one measure": regression,
    "logits": lambda: regression(9, 1),
    "two channels": lambda: regression(4, 2),
    "sigmoid": sigmoid,
    "softmax": softmax_of_pixels,
    "softmax of many": NETWORKS["every_operator"],
    "map": NETWORKS["softmax_of_every_pixel"],
}


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runtime")
    compile_c("-O1", "-c", *sorted((FIRMWARE / "src").rglob("*.c")), cwd=folder)
    return sorted(folder.glob("*.o"))


@dataclass(frozen=True)
class Program:
    """An application around `person_model`."""

    path: Path
    graph: Graph

    def run(self, pixels: NDArray[np.uint8]) -> tuple[list[int], NDArray[np.float32]]:
        """Return the class and the real outputs of each image."""
        count = int(np.prod(self.graph.tensors[self.graph.output].shape))
        said = run_command(self.path, stdin=pixels.tobytes())
        records = np.frombuffer(said, [("class", np.int32), ("reals", np.float32, (count,))])
        assert len(records) == len(pixels)
        return records["class"].tolist(), records["reals"]


def program(
    folder: Path,
    graph: Graph,
    main: str,
    runtime: list[Path],
    preprocessing: Preprocessing | None = None,
    request: PlanRequest | None = None,
) -> Program:
    plan = make_plan(graph, request)
    files = generate(graph, plan, "portable", "person", preprocessing=preprocessing)
    for name, text in files.items():
        (folder / name).write_text(text)
    sources = [CKERNELS / main, *(folder / name for name in files if name.endswith(".c"))]
    compile_c(f"-I{folder}", *sources, *runtime, "-o", folder / "program")
    return Program(folder / "program", graph)


def pictures(graph: Graph, count: int = 5) -> NDArray[np.uint8]:
    shape = (count, *graph.tensors[graph.input].hwc)
    return np.random.default_rng(3).integers(0, 256, shape, np.uint8)


def reals(tensor: Tensor, values: NDArray[np.int8]) -> NDArray[np.float32]:
    steps = values.astype(np.int16) - np.int16(tensor.zero_point)
    return steps.astype(np.float32) * np.float32(tensor.scale)


def expected(
    graph: Graph, pixels: NDArray[np.uint8], preprocessing: Preprocessing
) -> tuple[list[int], NDArray[np.float32]]:
    """Return the class and the real outputs of each image, as `verify` computes them."""
    tensor = graph.tensors[graph.input]
    if tensor.hwc[2] in (1, 3):
        values = preprocessing.to_int8(pixels, tensor.scale, tensor.zero_point)
    else:  # of other channels no order is known: each is as the first of a grey image
        values = levels_of(tensor, preprocessing)[0][pixels]
    observed = run_observed(graph, values)
    judge = judge_of(graph)
    if isinstance(judge, str):
        classes = [-1] * len(pixels)
    else:
        scores = judge.scores(reals(graph.tensors[graph.scores], observed[-1]))
        classes = list(map(int, scores.argmax(axis=-1)))
    return classes, reals(graph.tensors[graph.output], observed[0])


@pytest.mark.parametrize("preprocessing", [Preprocessing(), CAFFE], ids=["usual", "caffe"])
@pytest.mark.parametrize("name", MODELS)
def test_classes_and_reals_are_the_hosts(
    name: str, preprocessing: Preprocessing, runtime: list[Path], tmp_path: Path
) -> None:
    graph = read_graph(MODELS[name]())
    pixels = pictures(graph)
    made = program(tmp_path, graph, "application.c", runtime, preprocessing)
    classes, outputs = made.run(pixels)
    wanted, real = expected(graph, pixels, preprocessing)
    assert classes == wanted
    assert outputs.tobytes() == real.tobytes()


def test_of_equal_values_the_first_is_the_class(runtime: list[Path], tmp_path: Path) -> None:
    graph = read_graph(softmax_of_pixels())
    rows = [(9, 9, 9, 9, 9, 9), (1, 5, 250, 3, 250, 250), (0, 0, 0, 0, 0, 255), (7, 3, 0, 7, 1, 7)]
    pixels = np.array(rows, np.uint8).reshape(-1, 1, 1, 6)
    classes, _ = program(tmp_path, graph, "application.c", runtime).run(pixels)
    assert classes == [0, 2, 5, 0]


def test_classes_follow_the_logits_where_softmax_has_equal_values(
    runtime: list[Path], tmp_path: Path
) -> None:
    net = Network((1, 1, 3), (0.5, -128))
    graph = read_graph(net.build(net.softmax(net.input)))
    pixels = np.array([250, 252, 20], np.uint8).reshape(1, 1, 1, 3)
    taken = Preprocessing(scale=0.5)
    made = program(tmp_path, graph, "application.c", runtime, taken)
    classes, outputs = made.run(pixels)
    assert classes == [1]
    pixels = np.array([100, 20, 20], np.uint8).reshape(1, 1, 1, 3)
    classes, outputs = made.run(pixels)
    assert (classes, outputs[0].tolist()) == ([0], [255 / 256, 0.0, 0.0])


@pytest.mark.parametrize("quant", [(0.05, -5), (0.05, 100), (0.05, -128), (0.004, 127)])
def test_a_sigmoid_says_1_from_above_a_half(
    quant: Quant, runtime: list[Path], tmp_path: Path
) -> None:
    graph = read_graph(sigmoid(quant))
    pixels = np.arange(256, dtype=np.uint8).reshape(-1, 1, 1, 1)
    steps = Preprocessing(scale=quant[0], mean=(quant[1] + 128.0,) * 3)
    classes, outputs = program(tmp_path, graph, "application.c", runtime, steps).run(pixels)
    assert classes == expected(graph, pixels, steps)[0]
    assert classes == (outputs[:, 0] > 0.5).astype(int).tolist()


def test_reals_are_those_of_a_file_that_ends_in_float(runtime: list[Path], tmp_path: Path) -> None:
    """What TensorFlow Lite's DEQUANTIZE gives is what a regression reads on the board, exactly."""
    net = measures(5)
    result = max(net.shapes)
    end = net.builder.value((1, 5), 1.0, 0, dtype=np.float32)
    net.builder.op("DEQUANTIZE", [result], end, None)
    content = net.builder.build(net.input, end)
    graph = read_graph(content)
    pixels = pictures(graph, 20)
    _, outputs = program(tmp_path, graph, "application.c", runtime).run(pixels)
    theirs = Interpreter(
        model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    theirs.allocate_tensors()
    tensor = graph.tensors[graph.input]
    for image, mine in zip(pixels, outputs, strict=True):
        values = Preprocessing().to_int8(image, tensor.scale, tensor.zero_point)
        theirs.set_tensor(theirs.get_input_details()[0]["index"], values[np.newaxis])
        theirs.invoke()
        (real,) = theirs.get_tensor(theirs.get_output_details()[0]["index"])
        assert (real.dtype, real.tobytes()) == (np.float32, mine.tobytes())


PREPROCESSINGS = {
    "usual": (Preprocessing(), "rgb", "stretch"),
    "caffe": (replace(CAFFE, resize=(256, 232)), "bgr", "256x232"),
    "shorter side": (Preprocessing(resize=256), "rgb", "256"),
    "padded": (Preprocessing(mean=(0.1, 127.5, 1e-3), resize="pad"), "rgb", "pad"),
}


PAIRS = [
    *((name, "usual") for name in MODELS),
    *(("one measure", said) for said in ("caffe", "shorter side")),
    *(("logits", "padded"), ("two channels", "caffe")),
]


@pytest.mark.parametrize(("name", "said"), PAIRS)
def test_the_header_says_what_the_model_is(
    name: str, said: str, runtime: list[Path], tmp_path: Path
) -> None:
    graph = read_graph(MODELS[name]())
    preprocessing, order, resize = PREPROCESSINGS[said]
    lines = run_command(program(tmp_path, graph, "facts.c", runtime, preprocessing).path)
    facts: dict[str, list[list[str]]] = {}
    for key, *words in map(str.split, lines.decode().splitlines()):
        facts.setdefault(key, []).append(words)
    tensors = {"INPUT": graph.input, "OUTPUT": graph.output, "LOGITS": graph.logits}
    for key, index in tensors.items():
        assert facts.get(key, []) == ([] if index is None else [tensor_line(graph.tensors[index])])
    source, result = graph.tensors[graph.input], graph.tensors[graph.output]
    channels = source.hwc[2]
    assert facts["INPUT_BYTES"] == [[str(np.prod(source.hwc))]]
    known = {1: "grey", 3: order}.get(channels, "any")
    assert facts["PIXEL"] == [[known, resize, preprocessing.scale.hex()]]
    means = preprocessing.mean[:channels]
    assert [float.fromhex(value) for (value,) in facts["MEAN"]] == list(means)
    judge = judge_of(graph)
    classes = [] if isinstance(judge, str) else [[str(judge.classes)]]
    assert facts.get("CLASSES", []) == classes
    every = np.arange(-128, 128).astype(np.int8)
    found = np.array([float.fromhex(value) for (value,) in facts["REAL"]], np.float32)
    assert np.array_equal(found, reals(result, every))
    levels = np.array(facts["LEVEL"], np.int16).reshape(channels, 256)
    assert np.array_equal(levels, levels_of(source, preprocessing))


def tensor_line(tensor: Tensor) -> list[str]:
    height, width, channels = tensor.hwc
    sizes = (height, width, channels, height * width * channels)
    return [*map(str, sizes), tensor.scale.hex(), str(tensor.zero_point)]


def levels_of(tensor: Tensor, preprocessing: Preprocessing) -> NDArray[np.int8]:
    """Return the model's input by its own channel and the pixel's value."""
    channels = tensor.hwc[2]
    grey = np.arange(256, dtype=np.uint8)[:, np.newaxis]
    pixels = np.repeat(grey, 3 if channels == 3 else 1, axis=1)
    table = preprocessing.to_int8(pixels, tensor.scale, tensor.zero_point).T
    return table if channels == 3 else np.repeat(table, channels, axis=0)


def test_the_reference_names_all_that_the_header_has() -> None:
    """docs/reference/c-api.md: each name of the header, and no other."""
    graph = read_graph(NETWORKS["every_operator"]())
    header = generate(graph, make_plan(graph), "portable", "person", ["cat"])["person_model.h"]
    has = set(re.findall(r"^#define (\w+) ", header, re.M))
    has |= set(re.findall(r"^[\w *]+?\b(person_\w+)[(;]", header, re.M))
    page = (ROOT / "docs" / "reference" / "c-api.md").read_text()
    section = page.partition("## NAME_model.h")[2].partition("\n## ")[0]
    says: set[str] = set()
    for cell in re.findall(r"^\| (`.*?) \|", section, re.M):
        first, *more = re.findall(r"`(\w+)", cell)
        stem = first.rpartition("_")[0]
        names = [first, *(name if name[0] != "_" else stem + name for name in more)]
        if first.endswith("_"):  # as of the input
            six = ("HEIGHT", "WIDTH", "CHANNELS", "COUNT", "SCALE", "ZERO_POINT")
            names = [f"{stem}_{one}" for one in six]
        says |= set(names)
    assert says == has


def test_reals_read_back_exactly(tmp_path: Path) -> None:
    """Any float32 that a scale can be, as a literal that C++11 takes too."""
    bits = np.random.default_rng(5).integers(1, 0x7F800000, 4000, np.uint32)
    values = bits.view(np.float32)
    values[:4] = 1, 16777216, np.finfo(np.float32).tiny, np.finfo(np.float32).max
    literals = ",".join(map(real32, values.tolist()))
    (tmp_path / "reals.cc").write_text(
        f"#include <cstdio>\nstatic const float reals[] = {{{literals}}};\n"
        "int main() { return std::fwrite(reals, sizeof reals, 1, stdout) != 1; }\n"
    )
    flags = ("-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
    run_command("g++", *flags, tmp_path / "reals.cc", "-o", tmp_path / "reals")
    assert run_command(tmp_path / "reals") == values.tobytes()


def test_a_model_without_classes_has_no_classify() -> None:
    """Nothing is declared that would say a class where there is none; the header says why."""
    for name, why in (("one measure", "a measure"), ("map", "a map of 3 x 3 pixels")):
        graph = read_graph(MODELS[name]())
        files = generate(graph, make_plan(graph), "portable", "person", ["cat"])
        header = files["person_model.h"]
        assert "CLASS" not in header
        assert not re.search(r"int32_t person_class", header + files["person_app.c"])
        assert re.search(rf"There is no person_classify:\n \* .*{why}", header)


def test_classes_beyond_the_declared_are_named_by_number() -> None:
    graph = read_graph(regression(4))
    header = generate(graph, make_plan(graph), "portable", "person", ["cat", "dog"])
    assert '_CLASS_NAMES {"cat", "dog", "2", "3"}\n' in header["person_model.h"]


def test_a_firmware_around_tflm_declares_nothing_that_is_not_there() -> None:
    content = regression()
    graph = read_graph(content)
    files = generate_tflm(graph, content, 1000, "person", preprocessing=CAFFE)
    header = files["person_model.h"]
    assert "person_app.c" not in files
    assert "#define PERSON_MODEL_OUTPUT_SCALE " in header
    assert '#define PERSON_MODEL_PIXEL_ORDER "bgr"' in header
    assert not re.search(r"person_(start|run|classify|app)", header)


def test_damaged_weights_end_in_a_status(runtime: list[Path], tmp_path: Path) -> None:
    """A flipped bit in a stream: each image is refused, none computed with wrong weights."""
    graph = read_graph(NETWORKS["every_operator"]())
    request = PlanRequest(coded=all_streamed(graph, "portable"))
    assert request.coded
    pixels = pictures(graph, 2)
    sound = program(tmp_path, graph, "application.c", runtime, request=request)
    assert sound.run(pixels)[0] == expected(graph, pixels, Preprocessing())[0]
    damage(Library(tmp_path, "person", graph))
    sources = [CKERNELS / "damaged.c", *tmp_path.glob("person_*.c")]
    compile_c(f"-I{tmp_path}", *sources, *runtime, "-o", tmp_path / "damaged")
    assert run_command(tmp_path / "damaged") == b""


@pytest.mark.parametrize("cpu", ["cortex-m0", "cortex-m3", "cortex-m4"])
def test_no_float_without_dequantize(cpu: str, tmp_path: Path) -> None:
    """A program that asks for classes alone has no floating point of a library, and no CRC."""
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    graph = read_graph(regression(4))
    for name, text in generate(graph, make_plan(graph), "portable", "person").items():
        (tmp_path / name).write_text(text)
    symbols = {}
    for call in ("person_classify(pixels)", "(int)person_dequantize(person_output()[0])"):
        main = '#include "person_model.h"\nextern const uint8_t pixels[];\n'
        (tmp_path / "main.c").write_text(f"{main}int main(void) {{ return {call}; }}\n")
        core = (f"-mcpu={cpu}", "-mthumb", "-mfloat-abi=soft", "-Os")
        sources = [tmp_path / "main.c", tmp_path / "person_app.c", FIRMWARE / "src" / "esq_app.c"]
        headers = (f"-I{tmp_path}", f"-I{FIRMWARE / 'include'}")
        run_command("arm-none-eabi-gcc", *core, *headers, "-c", *sources, cwd=tmp_path)
        objects = ("main.o", "person_app.o", "esq_app.o")
        symbols[call] = run_command("arm-none-eabi-nm", "-u", *objects, cwd=tmp_path).decode()
    without, having = symbols.values()
    assert "esq_step" in without
    assert not re.search(r"__aeabi_\w*[fd]|esq_damaged_weights|esq_crc32", without)
    assert "__aeabi_fmul" in having


def test_the_application_is_strict_c(tmp_path: Path) -> None:
    """The generated file and the header pass what users' projects ask of them."""
    graph = read_graph(NETWORKS["every_operator"]())
    for name, text in generate(graph, make_plan(graph), "portable", "person").items():
        (tmp_path / name).write_text(text)
    words = "shadow double-promotion float-conversion undef cast-qual missing-prototypes"
    more = [f"-W{word}" for word in f"{words} strict-prototypes sign-conversion".split()]
    sources = (tmp_path / "person_app.c", FIRMWARE / "src" / "esq_app.c")
    compile_c(*more, f"-I{tmp_path}", "-c", *sources, cwd=tmp_path)
