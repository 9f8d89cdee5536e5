"""The networks that are measured."""

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgesq.formats.tflite import read_graph
from edgesq.graph import Int8Array
from edgesq.quantize import captured_output, to_int8_tflite
from edgesq.zoo import squeezenet
from support import keras_networks
from support.paths import SHARED

_SEED = 7
DEMO = "demo v1.1 10c 32"


@dataclass(frozen=True, eq=False)
class Network:
    """A quantized network with images, and what there is to compare with.

    Attributes:
        name: for the table.
        tflite: its bytes.
        images: int8 [n, H, W, C].
        tflm_arena_bytes: arena of TensorFlow Lite Micro; None where it was not measured.
        tflm_instructions: of TensorFlow Lite Micro with CMSIS-NN, by core.
        ram_goal_bytes: what the whole firmware should take at most; None for no goal.
    """

    name: str
    tflite: bytes
    images: Int8Array
    tflm_arena_bytes: int | None = None
    tflm_instructions: dict[str, int] | None = None
    ram_goal_bytes: int | None = None


RAM_GOALS = {
    "squeezenet_v1.1_1000c_224": 65_536,
    "squeezenet_v1.0_10c_224": 112_640,
    "squeezenet_v1.1_10c_96": 32_768,
    "squeezenet_v1.0_10c_32": 20_480,
}


def shared_networks() -> list[Network]:
    """Return the networks of ../shared/models, and TFLM's figures for them."""
    baseline: dict[str, Any] = json.loads((SHARED / "models" / "baseline.json").read_text())
    networks = []
    for path in sorted((SHARED / "models").glob("*.tflite")):
        with np.load(path.with_suffix(".npz")) as archive:
            images = archive["input"][:1]
        figures = baseline.get(path.stem, {})
        instructions = figures.get("tflm_instructions", {})
        networks.append(
            Network(
                path.stem,
                path.read_bytes(),
                images,
                figures.get("tflm_arena_bytes"),
                {core: counts["cmsis_nn"] for core, counts in instructions.items()},
                RAM_GOALS.get(path.stem),
            )
        )
    return networks


def bypass_224() -> Network:
    """Return v1.1 with simple bypass, 10 classes, 224x224, seeded weights."""
    content = _seeded(lambda: squeezenet.squeezenet_v1_1((224, 224, 3), 10, bypass="simple"))
    return Network("v1.1 simple bypass 10c 224", content, noise(content), 1_195_216, None, 98_304)


def plain_224() -> Network:
    """Return v1.1 with 10 classes at 224x224, seeded weights."""
    content = _seeded(lambda: squeezenet.squeezenet_v1_1((224, 224, 3), 10))
    return Network("v1.1 10c 224", content, noise(content))


def mobilenet_96() -> Network:
    """Return MobileNet v1 0.25 with 10 classes at 96x96, seeded weights."""
    content = keras_networks.mobilenet(96)
    return Network("MobileNet v1 0.25 10c 96", content, noise(content))


def demo() -> Network:
    """Return the bundled demo model, which needs nothing beside the checkout."""
    from edgesq.builds import load_source

    source = load_source(None, None, lambda _: None)
    return Network(DEMO, source.tflite, source.verify_images[:1])


def _seeded(build: Callable[[], Any]) -> bytes:
    import keras

    keras.utils.set_random_seed(_SEED)
    with captured_output():  # what TensorFlow says of a GPU that is not there
        model = build()
    shape = model.inputs[0].shape[1:]
    return to_int8_tflite(model, np.random.default_rng(_SEED).random((2, 1, *shape), np.float32))


def noise(content: bytes) -> Int8Array:
    """Return one image of noise for a model."""
    shape = read_graph(content).tensors[0].hwc
    return np.random.default_rng(_SEED).integers(-128, 128, (1, *shape), np.int8)


def tar_images(path: Path) -> dict[str, bytes]:
    """Return the files of a tar archive."""
    with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as archive:
        files = [(member.name, archive.extractfile(member)) for member in archive.getmembers()]
    return {name: file.read() for name, file in files if file}
