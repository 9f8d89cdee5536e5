"""SqueezeNet with its ImageNet weights in half a megabyte of flash: size against loss.

The models take minutes, so they are kept below build/ until something they depend on changes.
"""

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from bench.imagenet import DATA, SIDE, evaluation, fold_mean, pool
from bench.tables import OUT
from edgesq.builds import Compression, CompressionFacts, FirmwareOptions, Source
from edgesq.builds.compression import compression_steps
from edgesq.builds.optimize import Improved
from edgesq.builds.steps import Driver
from edgesq.calibrate import Preprocessing
from edgesq.cli import terminal
from edgesq.compress import loss as losses
from edgesq.formats.float_weights import float_weights
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph, Int8Array, digest
from edgesq.quantize import to_int8_tflite
from edgesq.records import json_text, made, plain
from edgesq.targets import load_target
from edgesq.zoo.pretrained import load_weights
from edgesq.zoo.squeezenet import squeezenet_v1_0, squeezenet_v1_1
from support.paths import ROOT

KEPT = ROOT / "build" / "bench"
BOARD = "mps2-an500"


@dataclass(frozen=True)
class Version:
    """A network with what is wanted of it.

    Attributes:
        build: makes the Keras model.
        weights: its file.
        image_bytes: of the whole image in flash, at most.
        agreement: with float on the evaluation images, at least.
        kl: to float, at most.
    """

    build: Callable[..., Any]
    weights: str
    image_bytes: int
    agreement: float
    kl: float


VERSIONS = {
    "v1.1": Version(squeezenet_v1_1, "squeezenet_v1.1_caffe_hwio.npz", 512_000, 0.92, 0.045),
    "v1.0": Version(squeezenet_v1_0, "compressed_SqueezeNet.net", 420_000, 0.92, 0.040),
}


def compressed_model(name: str) -> tuple[bytes, CompressionFacts]:
    """Return the compressed .tflite of a version, and the report's part on it.

    Args:
        name: of `VERSIONS`.
    """
    kept = KEPT / f"{name}-{_dependencies()[:16]}.tflite"
    notes = kept.with_suffix(".json")
    if not notes.exists():
        terminal.err.print(f"compressing {name}: some minutes")
        target = load_target(BOARD)
        steps = compression_steps(target, Compression(VERSIONS[name].image_bytes))
        driver = Driver(lambda stage: terminal.err.print(f"  {stage}"))
        driver.announce(steps)
        as_it_is = Improved(_source(name), FirmwareOptions(target, "squeezenet"))
        improved: Improved = driver.run(steps, as_it_is)
        KEPT.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(improved.source.tflite)
        notes.write_text(json_text(improved.compression))
    return kept.read_bytes(), made(CompressionFacts, json.loads(notes.read_text()))


def _dependencies() -> str:
    """Return a hash of what decides about the compressed models."""
    rooms = ("compress", "codegen", "kernels", "plan", "quantize")
    files = [file for room in rooms for file in sorted((ROOT / "edgesq" / room).rglob("*.py"))]
    files += [ROOT / "edgesq/builds/compression.py", Path(__file__)]
    return digest(b"".join(file.read_bytes() for file in files))


def keras_model(name: str) -> Any:
    """Return the float model with its weights, for pixels as they are."""
    version = VERSIONS[name]
    model = version.build((SIDE, SIDE, 3))
    load_weights(model, DATA / version.weights)
    fold_mean(model.get_layer("conv1"))
    return model


def _source(name: str) -> Source:
    """Return the int8 model, calibrated on the whole pool, with the pool's images."""
    model, floats = keras_model(name), pool()
    content = to_int8_tflite(model, floats[:, np.newaxis])
    graph = read_graph(content)
    images = levels(graph, floats)
    are = f"{len(images)} images of the calibration pool"
    pixels = Preprocessing("bgr", (0.0, 0.0, 0.0), 1.0)
    found = Source(name, content, graph, model, images, floats, are, images[:1], None, are, pixels)
    return dataclasses.replace(found, weights=float_weights(model, content))


def levels(graph: Graph, floats: NDArray[np.float32]) -> Int8Array:
    """Return images as the model's int8 input."""
    source = graph.tensors[graph.input]
    steps = np.round(floats / source.scale) + source.zero_point
    clipped: Int8Array = np.clip(steps, -128, 127).astype(np.int8)
    return clipped


def judged(name: str) -> dict[str, Any]:
    """Return what a version's compressed model takes and loses, on images it never saw."""
    version = VERSIONS[name]
    content, facts = compressed_model(name)
    chosen = facts.chosen
    assert chosen is not None
    graph = read_graph(content)
    images, labels = evaluation()
    likely = keras_model(name).predict(images, batch_size=20, verbose=0)
    scores = losses.int8_scores(graph, levels(graph, images))
    loss = losses.measure_loss(np.log(np.maximum(likely, 1e-30)), scores)
    return {
        "network": f"SqueezeNet {name}",
        "model_sha256": graph.sha256,
        "image_bytes": chosen.image_bytes,
        "image_goal_bytes": version.image_bytes,
        "bits_per_weight": chosen.bits_per_weight,
        "agreement": loss.agreement,
        "agreement_goal": version.agreement,
        "kl": loss.kl,
        "kl_goal": version.kl,
        "images": len(labels),
        "top1_float": float(np.mean(likely.argmax(axis=1) == labels)),
        "top1_int8": float(np.mean(scores.argmax(axis=1) == labels)),
        "predicted": {
            "kl": chosen.kl,
            "agreement": chosen.agreement,
            "drop": chosen.drop,
            "held_out": facts.held_out,
        },
        "curve": plain(facts.curve),
    }


def print_compressed() -> list[dict[str, Any]]:
    """Print and return the figures of all versions."""
    rows = [judged(name) for name in VERSIONS]
    OUT.print(loss_table(rows))
    for row in rows:
        OUT.print(curve_table(row))
    return rows


def loss_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return what each network lost, on images that nothing was fitted to."""
    table = Table(title=f"compressed, on {rows[0]['images']} ImageNet images", title_justify="left")
    for column in ("network", "whole image", "goal", "bits", "agreement", "goal", "KL", "goal"):
        table.add_column(column, justify="left" if column == "network" else "right")
    table.add_column("top-1 (float)", justify="right")
    for row in rows:
        table.add_row(
            row["network"],
            f"{row['image_bytes']:,}",
            f"{row['image_goal_bytes']:,}",
            f"{row['bits_per_weight']:.2f}",
            f"{row['agreement']:.1%}",
            f"{row['agreement_goal']:.0%}",
            f"{row['kl']:.4f}",
            f"{row['kl_goal']:.3f}",
            f"{row['top1_int8']:.1%} ({row['top1_float']:.1%})",
        )
    return table


def curve_table(row: dict[str, Any]) -> Table:
    """Return size against predicted loss of one network."""
    held_out = row["predicted"]["held_out"]
    title = f"{row['network']}: size against loss on {held_out} images of the pool held out"
    table = Table(title=title, title_justify="left")
    for column in ("whole image", "bits", "KL", "agreement", "points of top-1", "fitted to"):
        table.add_column(column, justify="right")
    for point in row["curve"]:
        table.add_row(
            f"{point['image_bytes']:,}",
            f"{point['bits_per_weight']:.2f}",
            f"{point['kl']:.4f}",
            f"{point['agreement']:.1%}",
            f"{-point['drop']:+.2f}",
            str(point["images"] or "int8"),
        )
    return table
