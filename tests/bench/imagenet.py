"""SqueezeNet v1.1 with its ImageNet weights at 227x227: memory, exactness, accuracy."""

import csv
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.measure import measure
from bench.models import tar_images
from edgesq.cli import terminal
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.plan import PlanRequest, make_plan
from edgesq.quantize import to_int8_tflite
from edgesq.targets import load_target
from edgesq.zoo.pretrained import load_weights
from edgesq.zoo.squeezenet import squeezenet_v1_1
from support.paths import SHARED

DATA = SHARED / "data"
SIDE, SCALED = 227, 256
BGR_MEAN = (104, 117, 123)
ON_BOARD = 20
RAM_GOAL_BYTES, DROP_GOAL_POINTS = 67_584, 1.0


def imagenet() -> dict[str, Any]:
    """Quantize, judge on the 300 labelled images, run some of them on the emulated M7."""
    model = squeezenet_v1_1((SIDE, SIDE, 3))
    load_weights(model, DATA / "squeezenet_v1.1_caffe_hwio.npz")
    fold_mean(model.get_layer("conv1"))
    content = to_int8_tflite(model, calibration())
    images, labels = evaluation()
    graph = read_graph(content)
    source = graph.tensors[graph.input]
    int8 = np.clip(np.round(images / source.scale) + source.zero_point, -128, 127).astype(np.int8)
    in_float = model.predict(images, batch_size=20, verbose=0).argmax(axis=-1)
    in_int8 = ReferenceInterpreter(content).run(int8).argmax(axis=-1)
    top1 = {
        "float": float(np.mean(in_float == labels)),
        "int8": float(np.mean(in_int8 == labels)),
    }
    board = load_target("mps2-an500")
    got = measure(content, int8[:ON_BOARD], make_plan(graph, PlanRequest(board.kernels)), board)
    result = {
        "ram_bytes": got.ram_bytes,
        "flash_bytes": got.flash_bytes,
        "arena_bytes": got.arena_bytes,
        "images_on_board": got.report.run.images,
        "differing_values": got.report.result.differing_values,
        "device_instructions": got.report.device.instructions,
        "images": len(labels),
        "top1_float": top1["float"],
        "top1_int8": top1["int8"],
        "agreement": float(np.mean(in_float == in_int8)),
    }
    terminal.out.print(imagenet_line(result), soft_wrap=True)
    return result


def imagenet_line(result: dict[str, Any]) -> str:
    """Return what `imagenet` found, as a sentence."""
    return (
        f"SqueezeNet v1.1 at {SIDE} x {SIDE}: RAM {result['ram_bytes']:,} B (goal "
        f"{RAM_GOAL_BYTES:,}), {result['differing_values']} differing values on "
        f"{result['images_on_board']} images, {result['device_instructions'] or 0:,} instructions; "
        f"top-1 on {result['images']} images: float {result['top1_float']:.1%}, int8 "
        f"{result['top1_int8']:.1%} (goal: within {DROP_GOAL_POINTS} point), agreement "
        f"{result['agreement']:.1%}."
    )


def fold_mean(conv1: Any) -> None:
    """Let the network take pixels as they are: exact, for conv1 has no padding."""
    kernel, bias = conv1.get_weights()
    mean = np.array(BGR_MEAN, np.float32)
    conv1.set_weights([kernel, bias - np.einsum("hwco,c->o", kernel, mean)])


def calibration() -> NDArray[np.float32]:
    """Return every third image of the calibration pool, float32 [67, 1, 227, 227, 3].

    About 64 is what the pool's notes found enough; all 200 widen the ranges
    (docs/explanation/decisions/016-preprocessing.md).
    """
    return pool()[::3, np.newaxis]


def pool() -> NDArray[np.float32]:
    """Return the calibration pool, float32 [200, 227, 227, 3]."""
    files = tar_images(DATA / "imagenet_calib200_s256.tar")
    crops = [crop(content) for name, content in sorted(files.items()) if is_image(name)]
    return _prepared(np.stack(crops))


def evaluation() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the labelled images, float32 [300, 227, 227, 3], and int64 [300]."""
    files = tar_images(DATA / "imagenet_eval300_227.tar")
    labels = next(content for name, content in files.items() if name.endswith("labels.csv"))
    rows = list(csv.DictReader(io.StringIO(labels.decode())))
    by_name = {name.rpartition("/")[2]: content for name, content in files.items()}
    images = [_decode(by_name[row["file"].rpartition("/")[2]]) for row in rows]
    pixels = np.stack([np.asarray(image) for image in images])
    return _prepared(pixels), np.array([int(row["class_index"]) for row in rows])


def is_image(name: str) -> bool:
    return name.lower().endswith((".jpg", ".jpeg", ".png"))


def _decode(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def crop(content: bytes) -> NDArray[np.uint8]:
    """Squash to 256x256 and cut the centre out, as the network was trained."""
    image = _decode(content).resize((SCALED, SCALED), Image.Resampling.BILINEAR)
    start = (SCALED - SIDE) // 2
    return np.asarray(image)[start : start + SIDE, start : start + SIDE]


def _prepared(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return BGR, float32 0..255."""
    return pixels[..., ::-1].astype(np.float32)
