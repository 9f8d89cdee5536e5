"""Runs of verify without a board: a client that computes what a board would."""

import functools
import json
import zlib
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
from numpy.typing import NDArray

from edgesq.formats.tflite import read_graph
from edgesq.link.client import Inference
from edgesq.link.info import BoardInfo, Optimisation
from edgesq.records import json_text, made, schema
from edgesq.reference import run_observed
from edgesq.verify.images import open_images
from edgesq.verify.oracle import Oracle, expecting
from edgesq.verify.report import VerifyReport
from edgesq.verify.resume import Keeper, resumed
from edgesq.verify.stream import Streaming
from edgesq.verify.summary import Facts
from edgesq.verify.tally import Tally
from edgesq.verify.workers import Beside
from support.networks import Network

SCHEMA = schema(VerifyReport)
SHAPE = (4, 4, 3)
CLASSES = 7


def network() -> bytes:
    net = Network(SHAPE, (1 / 255, -128))
    return net.build(net.softmax(net.mean(net.conv(net.input, CLASSES, (3, 3)))))


CONTENT = network()
GRAPH = read_graph(CONTENT)


def make_images(path: Path, count: int, seed: int = 0, distinct: int | None = None) -> Path:
    """Write an .npz of noise, `distinct` images again and again, whose labels are often right."""
    chance = np.random.default_rng(seed)
    images = chance.integers(-128, 128, (distinct or count, *SHAPE), np.int8)
    images = np.resize(images, (count, *SHAPE))
    labels = run_observed(GRAPH, images)[0].argmax(axis=1)
    labels[::3] = chance.integers(0, CLASSES, len(labels[::3]))
    np.savez(path, input=images, labels=labels)
    return path


@functools.lru_cache(maxsize=128)
def observed(image: bytes) -> tuple[NDArray[np.int8], ...]:
    """Compute what the reference makes of one image, int8 [1, K] each."""
    return run_observed(GRAPH, np.frombuffer(image, np.int8).reshape(1, *SHAPE))


class PretendedClient:
    """Answers as a board does, with ticks made of the image; some images come out wrong."""

    def __init__(self, is_wrong: Callable[[int], bool] = lambda _: False) -> None:
        self.is_wrong = is_wrong

    def stream(
        self, images: Iterable[bytes], *, ahead: bool = True
    ) -> Generator[Inference, None, None]:
        del ahead
        for image in images:
            outputs = tuple(row[0] for row in observed(image))
            mark = zlib.crc32(image)
            if self.is_wrong(mark):
                outputs = outputs[0], outputs[1] ^ np.array([0, 3] + [0] * 5, np.int8)
            numbers = mark % 100_000, 40 + mark % 9, 1000 + mark % 7, mark % 2, 0, 60, 100, 115_200
            yield Inference(outputs, *numbers, 0.25)


def facts(build: Path, images: Path, **changes: Any) -> Facts:
    """Return the facts of a run on a board that is not there."""
    info = BoardInfo(
        protocol=2,
        layout=3,
        max_payload=512,
        rx_window=4096,
        model_sha256=GRAPH.sha256,
        input_shape=SHAPE,
        tick_hz=1_000_000,
        clock_hz=25_000_000,
        cpuid=0,
        op_count=3,
        optimisation=Optimisation.OPTIMISED_SPEED,
        observed_bytes=(CLASSES, CLASSES),
        kernels="portable",
        board="bench7",
        build="gcc 1.2",
    )
    found: dict[str, Any] = {
        "graph": GRAPH,
        "images": open_images(build, GRAPH, images, None),
        "images_from": "noise",
        "images_asked": None,
        "arena_bytes": 1234,
        "info": info,
        "port": "none",
        "expected_by": "numpy reference",
        "peers": (),
    }
    return Facts(**{**found, **changes})


def reference(inputs: NDArray[np.int8]) -> tuple[NDArray[np.int8], ...]:
    return run_observed(GRAPH, inputs) if len(inputs) > 1 else observed(inputs.tobytes())


def run(
    run_facts: Facts,
    path: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    client: PretendedClient | None = None,
) -> VerifyReport:
    """Stream all images, from where the report in `path` ends."""
    tally, whole = Tally(), None
    if path is not None:
        tally, whole = resumed(path, run_facts.report(tally), run_facts.forms)
    if whole is not None:
        return whole
    expect = expecting(Oracle("numpy reference", reference), run_facts.peers)
    streaming = Streaming(run_facts, Beside(expect), tally, Keeper(path))
    streaming.run((client or PretendedClient()).stream, on_progress)
    return run_facts.report(tally)


def check_schema(report: VerifyReport) -> None:
    """Hold that a report is as `edgesq schema verify` says, and is read as it was written."""
    content = json.loads(json_text(report))
    jsonschema.validate(content, SCHEMA, jsonschema.Draft202012Validator)
    assert json.loads(json_text(made(VerifyReport, content))) == content


def altered(report: VerifyReport, **places: Any) -> VerifyReport:
    """Return a report with other values, as in run__complete=False."""
    for place, value in places.items():
        outer, inner = place.split("__")
        report = replace(report, **{outer: replace(getattr(report, outer), **{inner: value})})
    return report
