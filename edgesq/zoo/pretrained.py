"""Put pretrained weights into a SqueezeNet."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ModelError
from edgesq.extras import require

require("keras", "h5py")

import keras

from edgesq.zoo.weights import READERS, Arrays


def load_weights(model: keras.Model, path: Path | str) -> None:
    """Fill every convolution of `model` from a file.

    Formats, by suffix: .npz with `NAME/kernel` [H, W, I, O] and `NAME/bias` [O], where NAME is the
    layer's name with `/` for `_` (`fire2/expand3x3`), or with torchvision's names; .h5 of Keras 1
    to 3; .caffemodel; ncnn's .param and .bin; .net of Deep Compression.

    Raises:
        ModelError: the file is missing, damaged or of an unknown format, an array is missing, left
            over or of the wrong shape; the model is then unchanged.
    """
    file = Path(path)
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise ModelError(
            f"no weights are read from a {file.suffix or 'nameless'} file",
            where=str(file),
            hint=f"known: {', '.join(sorted(READERS))}",
        )
    layers = {
        layer.name.replace("_", "/"): layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    }
    arrays = reader(file, {name: tuple(layer.kernel.shape) for name, layer in layers.items()})
    weights = {
        name: [
            _take(arrays, f"{name}/{kind}", tuple(slot.shape), file)
            for kind, slot in (("kernel", layer.kernel), ("bias", layer.bias))
        ]
        for name, layer in layers.items()
    }
    if arrays:
        raise ModelError(
            f"holds {', '.join(sorted(arrays)[:3])}, which the model has no place for",
            where=str(file),
            hint="the weights belong to another architecture",
        )
    for name, values in weights.items():
        layers[name].set_weights(values)


def _take(arrays: Arrays, key: str, shape: tuple[int, ...], file: Path) -> NDArray[np.float32]:
    """Remove array `key` from `arrays` and return it, of the given shape."""
    if key not in arrays:
        raise ModelError(f"holds no {key}", where=str(file), hint="see load_weights for the names")
    array = arrays.pop(key)
    if array.shape != shape:
        raise ModelError(
            f"{key} is {list(array.shape)}, the model needs {list(shape)}",
            where=str(file),
            hint="build the version and class count that the weights were trained for",
        )
    return array
