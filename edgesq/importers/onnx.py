"""Import an .onnx file: a float one as a Keras model, an int8 one as a .tflite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from numpy.typing import NDArray

from edgesq.errors import ModelError
from edgesq.importers.folding import folded
from edgesq.importers.lowering import stored_input
from edgesq.importers.net import Net, Note
from edgesq.importers.network import Network, Place
from edgesq.importers.onnx_file import OnnxFile, read_file
from edgesq.importers.original import Original
from edgesq.importers.quantized import Measure, annotate
from edgesq.importers.session import Range, input_types, ranges
from edgesq.importers.to_keras import build_keras
from edgesq.importers.to_network import channels_last, lower
from edgesq.importers.to_tflite import write_tflite
from edgesq.quantize import one_or

if TYPE_CHECKING:
    import keras

Images = Callable[[Mapping[str, tuple[int, ...]]], Sequence[NDArray[np.float32]]]
"""Returns images of each input, float32 [n, *shape], by its name in the file and its shape."""

_TRIALS = 3
_SHOWN = 3
_SEED = 20261126
TOLERANCE = 1e-4
"""Largest difference of the Keras model from ONNX Runtime, in parts of the largest output."""


@dataclass(frozen=True, eq=False)
class ImportedFloat:
    """A float .onnx.

    Attributes:
        keras: computes the same on NHWC images.
        notes: what was decided on the way.
        takes_pixels: the file's image is of whole numbers, so pixels as they are.
    """

    keras: keras.Model
    notes: tuple[str, ...]
    takes_pixels: bool


@dataclass(frozen=True, eq=False)
class ImportedInt8:
    """An int8 .onnx.

    Attributes:
        tflite: has its scales, zero points, weights and biases.
        original: runs the file itself on the same images.
        notes: what was decided on the way.
    """

    tflite: bytes
    original: Original
    notes: tuple[str, ...]


def import_onnx(path: Path, images: Images | None = None) -> ImportedFloat | ImportedInt8:
    """Read an .onnx file.

    Args:
        path: the file.
        images: gives calibration images; an int8 model needs them where values have no scale.

    Raises:
        ModelError: it is damaged, has operators or numbers that cannot be taken (all are named),
            or the Keras model made of a float one does not compute what ONNX Runtime does.
    """
    where = str(path)
    file = read_file(path)
    try:
        if file.is_int8:
            return _import_int8(file.model, file.net, images, where)
        return _import_float(file, where)
    except ModelError as error:
        if error.where:
            raise
        raise ModelError(error.message, where=where, hint=error.hint) from error


def _import_int8(
    model: onnx.ModelProto, net: Net, images: Images | None, where: str
) -> ImportedInt8:
    measure: Measure | None = None
    kinds = input_types(model)
    if images is not None and {kinds[name] for name in net.inputs} == {onnx.TensorProto.FLOAT}:
        given, guess = images, channels_last(net)
        sources = {name: stored_input(net, name, guess) for name in net.inputs}

        def measure(names: Sequence[str]) -> dict[str, Range]:
            floats = given({name: source.shape[1:] for name, source in sources.items()})
            places = [Place(name, one.name, one.place) for name, one in sources.items()]
            return ranges(model, places, floats, names)

    network = folded(lower(annotate(net, where, measure), where))
    tflite, notes = write_tflite(network, where)
    return ImportedInt8(tflite, Original(model, network), _merged((*network.notes, *notes)))


def _import_float(file: OnnxFile, where: str) -> ImportedFloat:
    network = folded(lower(file.net, where))
    name = Path(where).stem
    built = build_keras(network, "".join(c if c.isalnum() else "_" for c in name) or "model", where)
    worst = _difference(built, Original(file.model, network), network, where)
    if not worst <= TOLERANCE:
        raise ModelError(
            f"the Keras model made of it differs from ONNX Runtime by {worst:.1e} of its largest "
            f"output, {TOLERANCE:.0e} is rounding",
            where=where,
            hint="this is a fault of the import: please report it with the model",
        )
    note = f"Keras model against ONNX Runtime on {_TRIALS} random images: {worst:.1e} at most"
    return ImportedFloat(built, (*_merged(network.notes), note), file.takes_pixels)


def _merged(notes: Iterable[Note]) -> tuple[str, ...]:
    """Return each note once, with the places it is about."""
    places: dict[str, list[str]] = {}
    for what, where in notes:
        places.setdefault(what, []).append(where)
    lines = []
    for what, names in places.items():
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        lines.append(f"{what}: {', '.join(names[:_SHOWN])}{more}")
    return tuple(lines)


def _difference(built: keras.Model, original: Original, network: Network, where: str) -> float:
    """Return the largest difference on random images, in parts of an output's largest value.

    Raises:
        ModelError: the file itself gives no finite numbers.
    """
    shapes = [network.shapes[place.name][1:] for place in network.inputs]
    random = np.random.default_rng(_SEED)
    largest, worst = np.zeros(len(network.outputs)), np.zeros(len(network.outputs))
    for _ in range(_TRIALS):
        images = [random.uniform(-1, 1, (1, *shape)).astype(np.float32) for shape in shapes]
        theirs = original.run_floats(*images)
        if not all(np.isfinite(values).all() for values in theirs):
            raise ModelError(
                "its results on random images are not finite in ONNX Runtime",
                where=where,
                hint="a weight or a bound may be infinite, or no number at all",
            )
        made = built(one_or(images), training=False)
        results = made if isinstance(made, list) else [made]
        for number, (mine, values) in enumerate(zip(results, theirs, strict=True)):
            gap = float(np.abs(np.asarray(mine).reshape(1, -1) - values).max())
            worst[number] = max(worst[number], gap if np.isfinite(gap) else np.inf)
            largest[number] = max(largest[number], float(np.abs(values).max()))
    return float(np.max(worst / np.maximum(largest, 1e-30)))
