"""Put pretrained weights into a SqueezeNet."""

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ModelError

Array = NDArray[np.generic]


def load_hwio_npz(model: keras.Model, path: Path | str) -> None:
    """Fill every convolution of `model` from an .npz.

    The file holds, per convolution, `NAME/kernel` [H, W, I, O] and `NAME/bias` [O], where NAME is
    the layer's name with `/` for `_` (`fire2/expand3x3`); any float type.

    Raises:
        ModelError: the file is missing or corrupt, an array is missing, left over or of the wrong
            shape; the model is then unchanged.
    """
    file = Path(path)
    arrays = _read(file)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    values = {}
    for layer in convolutions:
        prefix = layer.name.replace("_", "/")
        wanted = [(f"{prefix}/kernel", layer.kernel), (f"{prefix}/bias", layer.bias)]
        values[layer] = [_take(arrays, key, tuple(slot.shape), file) for key, slot in wanted]
    if arrays:
        raise ModelError(
            f"holds {', '.join(sorted(arrays)[:3])}, which the model has no place for",
            where=str(file),
            hint="the weights belong to another architecture",
        )
    for layer, weights in values.items():
        layer.set_weights(weights)


def _read(file: Path) -> dict[str, Array]:
    """Return all arrays of an .npz."""
    if not file.is_file():
        raise ModelError("no such weights file", where=str(file), hint="check the path")
    try:
        with np.load(file, allow_pickle=False) as archive:
            return dict(archive)
    # A damaged archive can raise nearly anything, and a lone .npy gives an array instead.
    except Exception as error:
        raise ModelError(
            "is not a readable .npz file", where=str(file), hint="fetch or write it again"
        ) from error


def _take(arrays: dict[str, Array], key: str, shape: tuple[int, ...], file: Path) -> Array:
    """Remove array `key` from `arrays` and return it as float32 of the given shape."""
    if key not in arrays:
        raise ModelError(f"holds no {key}", where=str(file), hint="see load_hwio_npz for the names")
    array = arrays.pop(key)
    if array.shape != shape:
        raise ModelError(
            f"{key} is {list(array.shape)}, the model needs {list(shape)}",
            where=str(file),
            hint="build the version and class count that the weights were trained for",
        )
    return array.astype(np.float32)
