"""A .tflite whose image is uint8 and is cast to float32: what it computes, exactly."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from edgesq.builds import load_source
from edgesq.calibrate import Preprocessing
from edgesq.errors import ModelError
from edgesq.formats.tflite import ReferenceInterpreter, read_graph, reading_notes
from edgesq.formats.tflite.tidy import int8_inside
from support.crun import Runtime
from support.graph_ladder import problems
from support.networks import FINER, Network, images
from support.random_sketch import Drawn

SHAPE = (7, 6, 3)


def of_pixels(*steps: tuple[str, float], scale: float = 1 / 128, reads: int = 1) -> bytes:
    """Cast, compute with numbers in float32, quantize, convolve."""
    net = Network(SHAPE, (scale, -3))
    builder = net.builder
    image = builder.value((1, *SHAPE), dtype=np.uint8)
    for number in range(reads):
        value = builder.value((1, *SHAPE), dtype=np.float32)
        builder.op("CAST", [image], value, "CastOptions", inDataType=3, outDataType=0)
        for kind, by in steps:
            made = builder.value((1, *SHAPE), dtype=np.float32)
            constant = builder.constant(np.array(by, np.float32))
            builder.op(kind, [value, constant], made, f"{kind.title()}Options")
            value = made
        if number == 0:
            builder.op("QUANTIZE", [value], net.input, "QuantizeOptions")
    result = net.conv(net.input, 5, (3, 3), (2, 2), quant=FINER)
    net.inputs = [image]
    return net.build(result)


NETWORKS = {
    "divided": of_pixels(("MUL", 1 / 255)),
    "around_zero": of_pixels(("SUB", 127.5), ("MUL", 1 / 127.5), scale=1 / 127),
    "as_they_are": of_pixels(scale=1.0),
    "coarse": of_pixels(("ADD", 3.3), scale=2.7),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_file_itself_gives_the_same(name: str) -> None:
    content = NETWORKS[name]
    graph = read_graph(content)
    source = graph.tensors[graph.input]
    assert (source.scale, source.zero_point) == (1.0, -128)
    given = images(SHAPE)
    theirs = Interpreter(
        model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    theirs.allocate_tensors()
    (end,) = theirs.get_input_details()
    assert end["dtype"] == np.uint8
    golden: list[Any] = []
    for image in given:
        theirs.set_tensor(end["index"], (image.astype(np.int16) + 128).astype(np.uint8)[np.newaxis])
        theirs.invoke()
        golden.append(theirs.get_tensor(theirs.get_output_details()[0]["index"]).reshape(-1))
    for form in (content, int8_inside(content)):
        mine = ReferenceInterpreter(form).run(given)
        np.testing.assert_array_equal(mine, np.stack(golden))
    assert len(np.unique(golden)) > 20
    (note,) = reading_notes(content)
    assert "pixels 0 to 255" in note


def test_the_whole_ladder(runtime: Runtime, tmp_path: Path) -> None:
    drawn = [Drawn(content, name, 1) for name, content in NETWORKS.items()]
    found = dict(zip(NETWORKS, problems(runtime, tmp_path, drawn), strict=True))
    assert {name: problem for name, problem in found.items() if problem} == {}


def test_what_else_is_computed_of_them_is_refused() -> None:
    with pytest.raises(ModelError, match="in float32"):
        read_graph(of_pixels(("MUL", 1 / 255), reads=2))


@pytest.mark.slow
def test_images_are_taken_as_pixels(tmp_path: Path) -> None:
    """Whatever default is usual: a build's preprocessing is what `verify` takes too."""
    (tmp_path / "model.tflite").write_bytes(NETWORKS["divided"])
    pixels = np.random.default_rng(6).integers(0, 256, (4, *SHAPE), np.uint8)
    source = load_source(tmp_path / "model.tflite", None, lambda _: None)
    assert source.preprocessing == Preprocessing(scale=1.0)
    tensor = source.graph.tensors[source.graph.input]
    levels = source.preprocessing.to_int8(pixels, tensor.scale, tensor.zero_point)
    np.testing.assert_array_equal(levels.astype(np.int16) + 128, pixels)
