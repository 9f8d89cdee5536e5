"""One int8 .tflite and the images that go with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgesq.builds.model import Kind, Original
from edgesq.calibrate import AuditRow, Classes, Fit, Preprocessing, Sheet, has_arrays
from edgesq.choices import Activations
from edgesq.formats.float_weights import FloatWeights
from edgesq.graph import Graph, Int8Array

if TYPE_CHECKING:
    import keras


_PIXELS = (1.0, -128)
"""Scale and zero point of an input whose levels are pixels."""


def levels_of(graph: Graph, images: NDArray[np.uint8], preprocessing: Preprocessing) -> Int8Array:
    """Return pixels as the model's input takes them, [n, H, W, C]."""
    return preprocessing.to_levels(images, graph.tensors[graph.input])


def taking_pixels(graph: Graph, declared: Preprocessing) -> Preprocessing:
    """Return how images become the input: as they are where its levels are pixels, 0 to 255."""
    tensors = [graph.tensors[index] for index in graph.inputs]
    is_pixels = all((tensor.scale, tensor.zero_point) == _PIXELS for tensor in tensors)
    return as_they_are(declared) if is_pixels else declared


def as_they_are(declared: Preprocessing) -> Preprocessing:
    """Return the preprocessing of a model that takes pixels, whatever scale is declared."""
    return replace(declared, scale=1.0, mean=(0.0, 0.0, 0.0))


NOISE_IS = "seeded noise"
"""`Source.images_are` where the user gave no images."""


@dataclass(frozen=True)
class CalibrationOptions:
    """How calibration images are taken.

    Attributes:
        classes: as declared; None for the folder's.
        fit: how images of another size get the model's; None for as the manifest says.
        strict: refuse images that the audit finds wrong.
        activations: what those of a float model become.
    """

    classes: Classes | None = None
    fit: Fit | None = None
    strict: bool = False
    activations: Activations = Activations.INT8


@dataclass(frozen=True)
class Request:
    """Which model is to be loaded, with which images.

    Attributes:
        path: the model.
        kind: of what kind that is.
        calibration: folder of images or .npz; None for none.
        taken: how they are taken.
    """

    path: Path
    kind: Kind
    calibration: Path | None
    taken: CalibrationOptions

    @property
    def has_arrays(self) -> bool:
        """Whether the images are an .npz, with an array for each input, and no folder."""
        return self.calibration is not None and has_arrays(self.calibration)


@dataclass(frozen=True, eq=False)
class Source:
    """A quantized model with the images it is judged on.

    Attributes:
        name: for reports.
        tflite: the bytes every number comes from.
        graph: the same, parsed.
        keras: the float model; None for a .tflite.
        images: what `parity` compares, int8 [n, *`Graph.image_shape`].
        floats: the same images for the float model, float32 [n, H, W, C]; None without one, and
            where it has several inputs.
        images_are: where they come from, in words.
        verify_images: what `verify` streams, int8 [m, H, W, C].
        verify_labels: int64 [m], or None.
        verify_images_are: where those come from, in words.
        preprocessing: from pixels to the model's input, that of `tflite`.
        audit: what was found of the calibration images; empty where nothing was quantized.
        original: runs the int8 file that `tflite` was made of; None where it is that file.
        notes: what the import of another format decided.
        declared: the preprocessing that the images' manifest declares, where the first layer of
            `tflite` and `keras` does what is missing in `preprocessing`; None where nothing is.
        weights: float weights by operator name, which `tflite` stands for; None where they are not
            known.
        classes: which class has which number, where that is declared, or the calibration images
            have as many as the model; none otherwise.
        image_notes: what to know of the calibration images and their classes.
        sheet: some of them, to look at; None where there are none.
        float_inputs: the images in the float model's own shapes, by input in its order; none where
            that is what `floats` are.
    """

    name: str
    tflite: bytes
    graph: Graph
    keras: keras.Model | None
    images: Int8Array
    floats: NDArray[np.float32] | None
    images_are: str
    verify_images: Int8Array
    verify_labels: NDArray[np.int64] | None
    verify_images_are: str
    preprocessing: Preprocessing
    audit: tuple[AuditRow, ...] = ()
    original: Original | None = None
    notes: tuple[str, ...] = ()
    weights: Mapping[str, FloatWeights] | None = None
    declared: Preprocessing | None = None
    classes: Classes = field(default_factory=Classes)
    image_notes: tuple[str, ...] = ()
    sheet: Sheet | None = None
    float_inputs: tuple[NDArray[np.float32], ...] = ()

    @property
    def has_one_end_each(self) -> bool:
        """Whether the model has one input and one output, by which it can be judged and fitted."""
        return len(self.graph.inputs) == len(self.graph.outputs) == 1

    @property
    def has_images(self) -> bool:
        """Whether `images` are the user's, and not noise."""
        return self.images_are != NOISE_IS
