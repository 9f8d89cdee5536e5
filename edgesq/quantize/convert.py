"""Post-training quantization of a Keras model to a fully int8 .tflite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgesq.calibrate import plain_name
from edgesq.choices import Activations
from edgesq.errors import EdgesqError, ImageError, ModelError
from edgesq.extras import require
from edgesq.quantize.quiet import captured_output

if TYPE_CHECKING:
    import keras

Float32Array = NDArray[np.float32]

INPUT_NAME = "input"

Shapes = list[tuple[int, ...]]

RECURRENT_HINT = (
    "Keras 3 makes loops of recurrent layers; an LSTM that Keras 2 and TensorFlow's converter made "
    "an int8 .tflite of is taken as that file, a GRU is not"
)
"""Keras 2 marks its LSTM as one operation, which the converter then fuses."""

_CONTROL_FLOW = frozenset({"While", "StatelessWhile", "If", "StatelessIf", "Case"})


def to_int8_tflite(
    model: keras.Model,
    representative: Iterable[Float32Array | list[Float32Array]],
    activations: Activations = Activations.INT8,
) -> bytes:
    """Quantize `model`: int8 input, output, activations and weights (per channel), int32 biases.

    Or input, output and activations of int16, biases of int64, and weights of int8.

    The same model and images give the same bytes. Nothing is written on stdout or stderr.

    Args:
        model: its inputs [None, H, W, C] or [None, C].
        representative: calibration images, float32 [1, H, W, C], as the model expects them; a list
            of an array for each of several inputs.
        activations: which of them.

    Raises:
        ModelError: the model has no fixed input shape, or TensorFlow cannot convert it.
        ImageError: there are no calibration images, or one has the wrong shape or is not finite.
    """
    shapes = _input_shapes(model)
    images = _checked(representative, shapes)
    return _quietly(
        model.name, activations.value, lambda: _convert(model, shapes, images, activations)
    )


def quantized_tflite(content: bytes, representative: Iterable[Float32Array], where: str) -> bytes:
    """Quantize a float .tflite by the steps that `to_int8_tflite` takes once it has made one.

    Args:
        content: in float32 alone.
        representative: calibration images, float32 in the shape of the input.
        where: what an error message calls it.

    Raises:
        ModelError: TensorFlow cannot quantize the model.
        ImageError: there are no calibration images, or one is not finite.
    """
    images = list(representative)
    _checked_all(images)

    def quantize() -> Any:
        import tensorflow as tf
        from tensorflow.lite.python.convert import mlir_quantize
        from tensorflow.lite.python.optimize import calibrator

        made = calibrator.Calibrator(calibrator.add_intermediate_tensors(content))
        calibrated = made.calibrate(lambda: ([image] for image in images))
        return mlir_quantize(calibrated, input_data_type=tf.int8, output_data_type=tf.int8)

    return _quietly(where, "int8", quantize)


def to_float_tflite(model: keras.Model) -> bytes:
    """Convert `model` by the same passes, without quantizing anything.

    Raises:
        ModelError: as `to_int8_tflite`.
    """
    shapes = _input_shapes(model)
    return _quietly(model.name, "a float .tflite", lambda: _converter(model, shapes).convert())


def _quietly(name: str, what: str, convert: Callable[[], Any]) -> bytes:
    require("tensorflow")  # Keras runs on others too
    with captured_output() as said:
        try:
            return bytes(convert())
        except EdgesqError:
            raise
        # The converter passes on whatever its C++ side raised.
        except Exception as error:
            reason = said.last_error() or " ".join(str(error).split())[:200]
            raise ModelError(
                f"TensorFlow cannot convert the model to {what}", where=name, hint=reason
            ) from error


def _input_shapes(model: keras.Model) -> Shapes:
    """Return [1, H, W, C] or [1, C] by input, or say why the model has no such input."""
    shapes = [tuple(one.shape) for one in model.inputs]
    for shape in shapes:
        if len(shape) not in (2, 4) or None in shape[1:]:
            raise ModelError(
                f"the input shape {shape} is not a fixed [None, H, W, C] or [None, C]",
                where=model.name,
                hint="build the model with the input size that the board will see",
            )
    return [(1, *shape[1:]) for shape in shapes]


def _checked(
    images: Iterable[Float32Array | list[Float32Array]], shapes: Shapes
) -> Iterator[list[Float32Array]]:
    """Pass the calibration images on, one by one, once they are known to be usable."""
    count = 0
    for count, image in enumerate(images, start=1):
        parts = image if isinstance(image, list) else [image]
        for part, shape in zip(parts, shapes, strict=True):
            if part.shape != shape or part.dtype != np.float32:
                raise ImageError(
                    f"calibration image {count} is {part.dtype} {list(part.shape)}",
                    hint=f"the model takes float32 {list(shape)}",
                )
            _refuse_infinite(part, count)
        yield parts
    _refuse_none(count)


def _checked_all(images: Sequence[Float32Array]) -> None:
    _refuse_none(len(images))
    for number, image in enumerate(images, start=1):
        _refuse_infinite(image, number)


def _refuse_none(count: int) -> None:
    if not count:
        raise ImageError("no calibration images", hint="give a folder with some 100 images")


def _refuse_infinite(image: Float32Array, number: int) -> None:
    if not np.isfinite(image).all():
        raise ImageError(
            f"calibration image {number} holds values that are not finite",
            hint="check the preprocessing",
        )


def _convert(
    model: keras.Model,
    shapes: Shapes,
    images: Iterator[list[Float32Array]],
    activations: Activations,
) -> Any:
    import tensorflow as tf

    converter = _converter(model, shapes)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: iter(images)
    sets = {
        Activations.INT8: tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
        Activations.INT16: (
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ),
    }
    end = tf.dtypes.as_dtype(activations.value)
    converter.target_spec.supported_ops = [sets[activations]]
    converter.inference_input_type = end
    converter.inference_output_type = end
    return converter.convert()


def _converter(model: keras.Model, shapes: Shapes) -> Any:
    """Return TensorFlow's converter of the model as one graph of constants."""
    import tensorflow as tf

    return tf.lite.TFLiteConverter.from_concrete_functions([_frozen(model, shapes)])


def _frozen(model: keras.Model, shapes: Shapes) -> Any:
    """Return the model as a function of its inputs whose weights are constants.

    It is traced with any batch size and then fixed to 1: traced with 1, Keras would take a sum of
    two 1x1 maps for the adding of a bias and reshape one of them to [C].
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    names = input_names(model)
    any_batch = [
        tf.TensorSpec((None, *shape[1:]), tf.float32, name=name)
        for shape, name in zip(shapes, names, strict=True)
    ]

    ends = _output_names(model, names)

    def results(*images: Any) -> Any:
        given = images[0] if len(images) == 1 else list(images)
        made = tf.nest.flatten(model(given, training=False))
        if ends:
            made = [tf.identity(one, name) for one, name in zip(made, ends, strict=True)]
        return made

    # Autograph would leave a file in the temporary folder until the program ends.
    traced = tf.function(results, autograph=False).get_concrete_function(*any_batch)
    _refuse_control_flow(model.name, {op.type for op in traced.graph.get_operations()})
    constant = convert_variables_to_constants_v2(traced)
    definition = constant.graph.as_graph_def()
    for node in definition.node:
        node.attr.pop("_output_shapes", None)
        if node.name in names:
            node.attr["shape"].shape.dim[0].size = 1
    imported = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
    find = imported.graph.get_tensor_by_name
    results_are = [f"{name}:0" for name in ends] or [one.name for one in constant.outputs]
    feeds, fetches = [one.name for one in constant.inputs], results_are
    return imported.prune([find(name) for name in feeds], [find(name) for name in fetches])


def input_names(model: keras.Model) -> list[str]:
    """Return what the converter calls a model's inputs: `input`, or their own names of several."""
    if len(model.inputs) == 1:
        return [INPUT_NAME]
    names: list[str] = []
    for one in model.inputs:
        name = plain_name(str(one.name))
        while name in names:
            name += "_"
        names.append(name)
    return names


def _output_names(model: keras.Model, taken: Sequence[str]) -> list[str]:
    """Return what to call several outputs: as their layers; none where that tells nothing."""
    makers = [str(one._keras_history.operation.name) for one in model.outputs]
    if len(set(makers)) < len(makers) or len(makers) == 1:
        return []
    names = list(taken)
    for maker in makers:
        name = plain_name(maker)
        while name in names:
            name += "_"
        names.append(name)
    return names[len(taken) :]


def _refuse_control_flow(name: str, kinds: set[str]) -> None:
    """Stop before TensorFlow 2.21 does, by a segmentation fault on recurrent layers' loops."""
    loops = sorted(kinds & _CONTROL_FLOW)
    if loops:
        raise ModelError(
            f"has loops or branches ({', '.join(loops)})",
            where=name,
            hint=RECURRENT_HINT,
        )
