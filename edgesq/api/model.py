"""The int8 model of a build folder: images to what it takes, and what it gives to predictions."""

from __future__ import annotations

import functools
import math
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgesq.api.prediction import Prediction
from edgesq.builds import TFLITE, read_model, read_report
from edgesq.calibrate import Classes, Judge, Preprocessing, fit_image, judge_of, read_image
from edgesq.errors import ImageError
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph, Int8Array, Tensor
from edgesq.verify.oracle import Oracle, default_oracle

ImageLike = str | os.PathLike[str] | Image.Image | NDArray[Any] | Mapping[str, Any]
"""An image: a file of it; what Pillow holds; uint8 [H, W, C] or [H, W], prepared as the build does;
or int8 [H, W, C] of the model's own size, as the board gets it. Of a model with several inputs: a
mapping with one for each, by the names of `Model.inputs`, or reals of one that is no image."""


@dataclass(frozen=True, eq=False)
class Model:
    """An int8 model.

    Attributes:
        folder: the build.
        content: the .tflite.
        graph: what was read from it.
        preprocessing: from pixels to its input.
        classes: which class has which number.
        judge: how its outputs say a class; None where they do not.
    """

    folder: Path
    content: bytes
    graph: Graph
    preprocessing: Preprocessing
    classes: Classes
    judge: Judge | None

    @classmethod
    def of(cls, folder: Path) -> Model:
        """Read the model of a build folder.

        Raises:
            EdgesqError: not a build folder, or a damaged one.
        """
        report, content = read_report(folder), read_model(folder)
        graph = _graph(content, str(folder / TFLITE))
        judge = judge_of(graph)
        preprocessing = report.calibration.preprocessing
        known = None if isinstance(judge, str) else judge
        return cls(folder, content, graph, preprocessing, report.classes, known)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return self.graph.tensors[self.graph.input].hwc

    def prepare(self, image: ImageLike) -> Int8Array:
        """Return an image as the board gets it, int8 [H, W, C].

        Raises:
            ImageError: it cannot be read, or is of another type or shape.
        """
        if len(self.graph.inputs) > 1:
            return self._joined(image)
        if isinstance(image, Mapping):
            raise _wrong("is a mapping, and the model has one input")
        tensor = self.graph.tensors[self.graph.input]
        if isinstance(image, np.ndarray) and image.dtype == tensor.dtype:
            if image.shape != self.shape:
                was = f"{image.dtype} {list(image.shape)}"
                raise _wrong(f"is {was}, the model takes {list(self.shape)}")
            return image
        return self.preprocessing.to_levels(self._pixels(image), tensor)

    @property
    def inputs(self) -> dict[str, tuple[int, int, int]]:
        """Height, width and channels of each input, by name: that of the file, or `input0`."""
        names = [self.graph.tensors[index].name.partition(":")[0] for index in self.graph.inputs]
        names = names if len(set(names)) == len(names) else list(self.graph.input_names)
        shapes = (self.graph.tensors[index].hwc for index in self.graph.inputs)
        return dict(zip(names, shapes, strict=True))

    def _joined(self, image: ImageLike) -> Int8Array:
        """Return an image of several inputs."""
        if (
            isinstance(image, np.ndarray)
            and image.dtype == self.graph.tensors[self.graph.input].dtype
            and image.shape == self.graph.image_shape
        ):
            return image
        if not isinstance(image, Mapping) or set(image) != set(self.inputs):
            raise _wrong(f"is no mapping of {', '.join(self.inputs)}, which the model takes")
        found = {}
        for index, (name, shape) in zip(self.graph.inputs, self.inputs.items(), strict=True):
            tensor, given = self.graph.tensors[index], image[name]
            if isinstance(given, np.ndarray) and given.dtype != np.uint8:
                found[index] = _levels(given, tensor, name, shape)
            else:
                pixels = self._pixels(given, shape)
                found[index] = self.preprocessing.to_levels(pixels, tensor)
        return self.graph.join(found)

    def prepare_all(self, images: Iterable[ImageLike] | NDArray[Any]) -> list[Int8Array]:
        """Return several images as `prepare` does.

        Raises:
            ImageError: as there, or they are a path: its characters are no images.
        """
        if isinstance(images, str | os.PathLike):
            hint = "give a list of images; `verify` and `evaluate` take a folder"
            raise ImageError("is one path", where=str(images), hint=hint)
        return [self.prepare(image) for image in images]

    def _pixels(
        self, image: ImageLike, shape: tuple[int, int, int] | None = None
    ) -> NDArray[np.uint8]:
        """Return an image as uint8 [H, W, C] of the model's size, or of that of one input."""
        wanted = shape or self.shape
        height, width, channels = wanted
        size, resize = (height, width), self.preprocessing.resize
        if isinstance(image, str | os.PathLike):
            return read_image(Path(image), size, channels, resize)
        if isinstance(image, Image.Image):
            return fit_image(image, size, channels, resize)
        if not isinstance(image, np.ndarray):
            raise _wrong(f"is a {type(image).__name__}")
        if image.dtype != np.uint8:
            raise _wrong(f"is an array of {image.dtype}")
        if image.shape == wanted:
            return image
        if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
            raise _wrong(f"is uint8 {list(image.shape)}, the model takes {list(wanted)}")
        flat = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
        return fit_image(Image.fromarray(flat), size, channels, resize)

    def predict(self, images: Int8Array) -> tuple[Prediction, ...]:
        """Return what the exact int8 model makes of int8 [n, H, W, C], on this computer."""
        if not len(images):
            return ()
        with _one_at_a_time:
            observed = _oracle(self.content).observed(images)
        return tuple(
            self.prediction([rows[number] for rows in observed]) for number in range(len(images))
        )

    def prediction(self, observed: Sequence[Int8Array]) -> Prediction:
        """Return what was computed of one image.

        Args:
            observed: int8 [K] of the tensors of `Graph.observed`, as many as there are.
        """
        outputs = {
            name: self._real(index, levels)
            for name, index, levels in zip(
                self.graph.observed_names, self.graph.outputs, observed, strict=False
            )
        }
        tensor = self.graph.tensors[self.graph.output]
        levels = observed[0].copy().reshape(tensor.shape[1:])
        values = next(iter(outputs.values()))
        return Prediction(levels, values, self._label(observed), self.classes, outputs)

    def _real(self, index: int, levels: Int8Array) -> NDArray[np.float32]:
        tensor = self.graph.tensors[index]
        stored = np.array(levels, tensor.dtype).reshape(tensor.shape[1:])
        steps = stored.astype(np.float32) - np.float32(tensor.zero_point)
        return np.asarray(steps * np.float32(tensor.scale), np.float32)

    def _label(self, observed: Sequence[Int8Array]) -> int | None:
        """Return the likeliest class by the last tensor: logits are finer than a softmax."""
        if self.judge is None:
            return None
        tensor = self.graph.tensors[self.graph.observed[len(observed) - 1]]
        reals = (observed[-1].astype(np.float64) - tensor.zero_point) * tensor.scale
        return int(np.argmax(self.judge.scores(reals)))


_one_at_a_time = threading.Lock()
"""An interpreter holds the image that it computes."""


@functools.lru_cache(maxsize=4)
def _graph(content: bytes, where: str) -> Graph:
    return read_graph(content, where)


@functools.lru_cache(maxsize=4)
def _oracle(content: bytes) -> Oracle:
    return default_oracle(content)


def _levels(
    given: NDArray[Any], tensor: Tensor, name: str, shape: tuple[int, int, int]
) -> Int8Array:
    """Return the levels of an input that is given as such, or as reals."""
    if given.size != math.prod(shape) or given.dtype.kind not in "fi":
        raise _wrong(f"has {given.dtype} {list(given.shape)} for {name}, which is {list(shape)}")
    if given.dtype == tensor.dtype:
        return np.asarray(given.reshape(shape), tensor.dtype)
    steps = np.round(given.reshape(shape).astype(np.float64) / tensor.scale) + tensor.zero_point
    return np.clip(steps, *tensor.levels).astype(tensor.dtype)


def _wrong(what: str) -> ImageError:
    return ImageError(
        what,
        where="the image given",
        hint="give a file, an image of Pillow, uint8 [H, W, C], or int8 as the board gets it",
    )
