"""What int8 costs on ImageNet weights by calibration set and repair, and the audit's verdicts."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.table import Table

from bench import imagenet
from bench.models import tar_images
from bench.tables import OUT
from edgesq.accuracy import share
from edgesq.calibrate import Classes, ImageSet, Preprocessing, audit_images
from edgesq.cli import terminal
from edgesq.formats.float_weights import float_weights
from edgesq.formats.tflite import read_graph
from edgesq.graph import Int8Array, Tensor
from edgesq.quantize import audit_model, to_int8_tflite
from edgesq.repair.judge import distance, float_scores, int8_scores
from edgesq.repair.search import Pictures, repair
from edgesq.repair.state import Quantized
from edgesq.repair.usual import fitted
from edgesq.zoo.pretrained import load_weights
from edgesq.zoo.squeezenet import squeezenet_v1_0, squeezenet_v1_1

UInt8Array = NDArray[np.uint8]
Float32Array = NDArray[np.float32]

SECONDS = 600.0
_NETWORKS: dict[str, tuple[Callable[..., Any], str]] = {
    "v1.1": (squeezenet_v1_1, "squeezenet_v1.1_caffe_hwio.npz"),
    "v1.0": (squeezenet_v1_0, "squeezenet_v1.0_deepcomp_hwio.npz"),
}
_SETS = {"64 of the pool": 64, "16 of the pool": 16}
_DECLARED = Preprocessing("bgr", (104.0, 117.0, 123.0), 1.0)
_SIDE = imagenet.SIDE


def accuracy(networks: list[str]) -> dict[str, Any]:
    """Print and return the rows of both tables."""
    pool = _pool()
    rows = [row for name in networks for row in _network(name, pool)]
    OUT.print(accuracy_table(rows))
    return {"accuracy": rows, "audit": _audits(pool) if "v1.1" in networks else []}


def _network(name: str, pool: UInt8Array) -> Iterator[dict[str, Any]]:
    """Judge one network on the 300 images, for each set, as converted and repaired."""
    build, file = _NETWORKS[name]
    model = build((_SIDE, _SIDE, 3))
    load_weights(model, imagenet.DATA / file)
    imagenet.fold_mean(model.get_layer("conv1"))
    judged, labels = imagenet.evaluation()
    expected = None
    for seed, (called, count) in enumerate(_SETS.items(), start=1):
        chosen = np.random.default_rng(seed).permutation(len(pool))[:count]
        floats = pool[chosen][..., ::-1].astype(np.float32)
        content = to_int8_tflite(model, floats[:, np.newaxis])
        base = Quantized(content, read_graph(content), float_weights(model, content))
        source = base.graph.tensors[base.graph.input]
        start = time.process_time()
        pictures = Pictures(floats, _levels(source, floats))
        found = repair(content, base.weights, pictures, SECONDS)
        took = time.process_time() - start
        if expected is None:
            expected = float_scores(base, judged)
            yield _row(name, "", "float", expected, expected, labels)
        for how, graph in (
            ("as converted", base.graph),
            ("as exported", fitted(base, pictures).graph),
            (str(found.recipe), read_graph(found.content)),
        ):
            terminal.err.print(f"{name}, {called}, {how}")
            scores = int8_scores(graph, _levels(source, judged))
            yield _row(name, called, how, scores, expected, labels) | {"repair_cpu_s": took}


def _row(
    network: str,
    called: str,
    how: str,
    scores: Float32Array,
    expected: Float32Array,
    labels: NDArray[np.int64],
) -> dict[str, Any]:
    said, wanted = scores.argmax(axis=1), expected.argmax(axis=1)
    top1 = share(int(np.count_nonzero(said == labels)), len(labels))
    far = distance(expected, scores)
    drop = int(np.count_nonzero(wanted == labels)) - top1.hits
    return {
        "network": network,
        "set": called,
        "how": how,
        "top1": dataclasses.asdict(top1),
        "images_lost": drop,
        **dataclasses.asdict(far),
    }


def accuracy_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return a row for each set and each way to make the int8 model."""
    columns = ["top-1", "95 % interval", "images lost", "same class", "KL", "SQNR in dB"]
    table = terminal.table("on 300 ImageNet images", ["network", "set", "made how"], columns)
    for row in rows:
        top1, noise = row["top1"], row["sqnr_db"]
        table.add_row(
            row["network"],
            row["set"],
            row["how"],
            f"{top1['share']:.2%}",
            f"{top1['low']:.1%} to {top1['high']:.1%}",
            f"{row['images_lost']:+d}",
            f"{row['agreement']:.2%}",
            f"{row['kl']:.5f}",
            "" if noise is None else f"{noise:.1f}",
        )
    return table


def audit_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return what the audit finds wrong in good and in bad sets."""
    table = terminal.table("the audit's verdicts", ["set", "found wrong", "expected"])
    for row in rows:
        named = ", ".join(f"{check} {figure:.2f}" for check, figure in row["wrong"].items())
        table.add_row(row["set"], named or "nothing", "good" if row["good"] else "bad")
    return table


def _levels(tensor: Tensor, floats: Float32Array) -> Int8Array:
    levels: Float32Array = np.round(floats / np.float32(tensor.scale)) + tensor.zero_point
    return np.clip(levels, -128, 127).astype(np.int8)


# The audit


def _audits(pool: UInt8Array) -> list[dict[str, Any]]:
    """Audit five good sets and seven bad ones with v1.1."""
    model = squeezenet_v1_1((_SIDE, _SIDE, 3))
    load_weights(model, imagenet.DATA / _NETWORKS["v1.1"][1])
    rows = []
    for called, is_good, images, declared in _calibration_sets(pool):
        given = ImageSet(images, None, Classes(), declared, ())
        audit = (*audit_images(given), *audit_model(model, given))
        wrong = {row.check: row.figure for row in audit if not row.is_good}
        rows.append({"set": called, "good": is_good, "wrong": wrong})
    OUT.print(audit_table(rows))
    return rows


def _calibration_sets(
    pool: UInt8Array,
) -> Iterator[tuple[str, bool, UInt8Array, Preprocessing]]:
    """Yield name, whether it is good, images, and what is declared of them."""
    order = np.random.default_rng(1).permutation(len(pool))
    yield "64 of the pool", True, pool[order[:64]], _DECLARED
    yield "64 others", True, pool[order[64:128]], _DECLARED
    yield "every third, 67", True, pool[::3], _DECLARED
    yield "100 of the pool", True, pool[order[:100]], _DECLARED
    yield "64, mirrored", True, pool[order[64:128], :, ::-1], _DECLARED
    yield "16 of the pool", False, pool[order[:16]], _DECLARED
    big = np.asarray(Image.fromarray(pool[order[0]]).resize((300, 300)))
    shifts = [big[y : y + _SIDE, x : x + _SIDE] for y in (0, 36, 73) for x in (0, 36, 73)]
    yield "8 crops of one picture", False, np.stack(shifts[:8]), _DECLARED
    film = [big[shift : shift + _SIDE, shift : shift + _SIDE] for shift in range(40)]
    yield "40 frames of one film", False, np.stack(film), _DECLARED
    noise = np.random.default_rng(2).integers(0, 256, (64, _SIDE, _SIDE, 3), np.uint8)
    yield "uniform noise", False, noise, _DECLARED
    small = [Image.fromarray(one).resize((24, 24)).resize((_SIDE, _SIDE)) for one in pool[order]]
    blurred = np.stack([np.asarray(one) for one in small[:64]])
    yield "64 thumbnails enlarged", False, blurred, _DECLARED
    swapped = dataclasses.replace(_DECLARED, channel_order="rgb", mean=(123.0, 117.0, 104.0))
    yield "declared RGB, is BGR", False, pool[order[:64]], swapped
    yield "declared 0 to 1, is 0 to 255 less the mean", False, pool[order[:64]], Preprocessing()


def _pool() -> UInt8Array:
    """Return the calibration pool, uint8 RGB [200, 227, 227, 3]."""
    files = tar_images(imagenet.DATA / "imagenet_calib200_s256.tar")
    pictures = [content for name, content in sorted(files.items()) if imagenet.is_image(name)]
    return np.stack([imagenet.crop(content) for content in pictures])
