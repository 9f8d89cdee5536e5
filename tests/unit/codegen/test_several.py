"""NAME_set_input and NAME_output_of, compiled with sanitizers and run on this computer."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgesq.calibrate import Preprocessing
from edgesq.codegen import generate
from edgesq.formats.tflite import read_graph
from edgesq.plan import make_plan
from edgesq.reference import run_observed
from support.crun import Runtime, compile_c, run_command
from support.networks import FINER, RECTIFIED, USUAL, Network
from support.paths import CKERNELS

IMAGES = 3


def detector() -> bytes:
    """One input; a map that is read on, another map, and a row."""
    net = Network((9, 8, 3))
    fine = net.conv(net.input, 6, (3, 3), (2, 2), quant=RECTIFIED)
    return net.build(fine, net.conv(fine, 4), net.mean(net.conv(fine, 5)))


def two_images() -> bytes:
    """A row of each in turn."""
    net = Network((7, 6, 3))
    other = net.beside((7, 6, 3), FINER)
    return net.build(net.concat([net.conv(net.input, 4, (3, 3)), net.conv(other, 4, (3, 3))]))


def image_between_rows() -> bytes:
    """The image is the second of three inputs; two rows of numbers come whole before it."""
    net = Network((5,), USUAL)
    image, last = net.beside((6, 6, 3)), net.beside((4,), FINER)
    pixel = net.mean(net.conv(image, 6, (3, 3)), USUAL)
    step = net.concat([pixel, net.dense(net.input, 3), net.dense(last, 2)])
    return net.build(net.dense(step, 3), pixel)


@pytest.mark.parametrize("build", [detector, two_images, image_between_rows])
def test_a_program_gets_what_the_reference_gives(
    build: Callable[[], bytes], runtime: Runtime, tmp_path: Path
) -> None:
    graph = read_graph(build())
    random = np.random.default_rng(5)
    image = graph.tensors[graph.input]
    pixels = random.integers(0, 256, (IMAGES, *image.hwc), np.uint8)
    parts = {
        index: random.integers(-128, 128, (IMAGES, *graph.tensors[index].hwc)).astype(np.int8)
        for index in graph.sent
    }
    parts[graph.input] = Preprocessing().to_int8(pixels, image.scale, image.zero_point)
    others = [parts[index] for index in graph.sent if index != graph.input]
    stdin = b"".join(
        b"".join([pixels[number].tobytes(), *(other[number].tobytes() for other in others)])
        for number in range(IMAGES)
    )
    rows = [{index: part[number] for index, part in parts.items()} for number in range(IMAGES)]
    observed = run_observed(graph, np.stack([graph.join(row) for row in rows]))
    outputs = [values.reshape(IMAGES, -1) for values in observed[: len(graph.outputs)]]
    for name, text in generate(graph, make_plan(graph), "portable", "person").items():
        (tmp_path / name).write_text(text)
    defines = (
        f"-DIMAGE={graph.sent.index(graph.input)}u",
        f"-DMODEL_INPUTS={len(graph.inputs)}",
        f"-DMODEL_OUTPUTS={len(outputs)}",
        f"-DOUTPUT_COUNTS={{{', '.join(str(values.shape[1]) for values in outputs)}}}",
    )
    sources = [CKERNELS / "ends.c", *tmp_path.glob("person_*.c")]
    program = tmp_path / "program"
    compile_c(*defines, f"-I{tmp_path}", *sources, *runtime.runtime_objects, "-o", program)
    said = np.frombuffer(run_command(program, stdin=stdin), np.int8).reshape(IMAGES, 2, -1)
    expected = np.concatenate(outputs, axis=1)
    for how in range(2):
        np.testing.assert_array_equal(said[:, how], expected)
