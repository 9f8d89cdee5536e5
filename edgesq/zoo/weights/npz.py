"""Weights in an .npz: by our names, or by torchvision's."""

import re
from pathlib import Path

import numpy as np

from edgesq.zoo.weights.arrays import Arrays, Shapes, damaged, from_oihw, read_file

_TORCH = re.compile(
    r"(?P<place>features\.\d+|classifier\.1)\.(?:(?P<part>\w+)\.)?(?P<kind>weight|bias)"
)


def read_npz(path: Path, _: Shapes) -> Arrays:
    """Read `NAME/kernel` [H, W, I, O] and `NAME/bias`, or a torchvision state dict saved as .npz.

    torchvision's names (`features.3.squeeze.weight`, [O, I, H, W]) count modules, so the Fire
    modules are taken in ascending order.

    Args:
        path: the file; any float type in it.
        _: the file itself has names and shapes.

    Raises:
        ModelError: missing or damaged.
    """
    read_file(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name].astype(np.float32) for name in archive.files}
    # A damaged archive can raise nearly anything, and a lone .npy gives an array instead.
    except Exception as error:
        raise damaged(path, ".npz") from error
    is_torch = any(_TORCH.fullmatch(name) for name in arrays)
    return _from_torch(arrays) if is_torch else arrays


def _from_torch(arrays: Arrays) -> Arrays:
    names = {name: _TORCH.fullmatch(name) for name in arrays}
    fires = sorted(
        {int(found["place"].split(".")[1]) for found in names.values() if found and found["part"]}
    )
    renamed = {}
    for name, array in arrays.items():
        found = names[name]
        if found is None:
            renamed[name] = array
            continue
        is_kernel = found["kind"] == "weight" and array.ndim == 4
        kind = "kernel" if found["kind"] == "weight" else "bias"
        renamed[f"{_ours(found, fires)}/{kind}"] = from_oihw(array) if is_kernel else array
    return renamed


def _ours(found: re.Match[str], fires: list[int]) -> str:
    place, part = found["place"], found["part"]
    if place == "classifier.1":
        return "conv10"
    if part is None:
        return "conv1"
    index = 2 + fires.index(int(place.split(".")[1]))
    return f"fire{index}/{'squeeze1x1' if part == 'squeeze' else part}"
