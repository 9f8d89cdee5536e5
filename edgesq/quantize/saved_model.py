"""Read a SavedModel, a folder that TensorFlow writes, as a Keras model of one layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesq.errors import ModelError
from edgesq.quantize.quiet import captured_output

if TYPE_CHECKING:
    import keras

_FILE = "saved_model.pb"
_USUAL = "serving_default"
_MAPS = frozenset(
    {"AddV2", "AvgPool", "ConcatV2", "LeakyRelu", "MaxPool", "Mul", "Relu", "Relu6", "Sigmoid"}
)
"""Operators whose results are shown beside the result, so that an audit can look inside."""

_SAVE = "save it with model.export(folder), or tf.saved_model.save(model, folder, signatures=...)"


def is_saved_model(path: Path) -> bool:
    """Say whether a path is a folder with a SavedModel in it."""
    return (path / _FILE).is_file()


def load_saved_model(folder: Path) -> keras.Model:
    """Return a SavedModel's one signature as a Keras model for inference.

    Its only layer gives the result and, for `audit_model`, the maps on the way.

    Raises:
        ModelError: the folder is damaged, or its signature is not one float32 image of fixed size,
            in batches of any size, to one result.
    """
    where = str(folder)
    with captured_output():
        import tensorflow as tf

        try:
            loaded = tf.saved_model.load(where)
            function = _signature(loaded, where)
            frozen = _frozen(function)
            _refuse_single(frozen, where)
        except ModelError:
            raise
        # TensorFlow raises nearly every kind of exception on a damaged folder.
        except Exception as error:
            said = " ".join(str(error).split())[:160]
            raise ModelError(
                f"cannot be read as a SavedModel: {said}", where=where, hint=_SAVE
            ) from error
        return _as_keras(frozen, folder)


def _signature(loaded: Any, where: str) -> Any:
    """Return the signature that is usual, or the only one.

    Raises:
        ModelError: there is none, or several without the usual name, or it has other ends.
    """
    names = sorted(loaded.signatures)
    if _USUAL not in names and len(names) != 1:
        listed = ", ".join(names) or "none"
        raise ModelError(f"its signatures are: {listed}", where=where, hint=_SAVE)
    function = loaded.signatures[_USUAL if _USUAL in names else names[0]]
    _, inputs = function.structured_input_signature
    outputs = function.structured_outputs
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(
            f"{len(inputs)} inputs and {len(outputs)} outputs",
            where=where,
            hint="one image in and one result out are supported",
        )
    (source,) = inputs.values()
    shape = source.shape.as_list() if source.shape.rank is not None else []
    if (
        len(shape) != 4
        or None in shape[1:]
        or shape[0] not in (None, 1)
        or source.dtype != "float32"
    ):
        raise ModelError(
            f"the input is {source.dtype.name} {shape}, not float32 [None, H, W, C]",
            where=where,
            hint="save it with any batch size and the input size that the board will see",
        )
    return function


def _frozen(function: Any) -> Any:
    """Return a signature as a function whose weights are constants, from images to a list.

    A batch of 1 is opened to any: calibration and audit run several images at once.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    constant = convert_variables_to_constants_v2(function)
    definition = constant.graph.as_graph_def()
    source, result = constant.inputs[0].name, constant.outputs[0].name
    for node in definition.node:
        node.attr.pop("_output_shapes", None)
        if node.name == source.partition(":")[0]:
            node.attr["shape"].shape.dim[0].size = -1
    imported = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
    maps = [
        tensor
        for operation in imported.graph.get_operations()
        if operation.type in _MAPS
        for tensor in operation.outputs
        if tensor.shape.rank == 4 and tensor.name != result
    ]
    find = imported.graph.get_tensor_by_name
    return imported.prune(find(source), [find(result), *maps])


def _refuse_single(frozen: Any, where: str) -> None:
    """Stop where a batch of 1 is built in, for instance into a reshape."""
    import tensorflow as tf

    shape = frozen.inputs[0].shape.as_list()[1:]
    try:
        results = frozen(tf.zeros((2, *shape)))
        batch = results[0].shape[0]
    except tf.errors.InvalidArgumentError:
        batch = 0
    if batch != 2:
        raise ModelError("takes batches of one only", where=where, hint=f"any batch size: {_SAVE}")


def _as_keras(frozen: Any, folder: Path) -> keras.Model:
    import keras

    last = frozen.outputs[0].op
    while last.type == "Identity":
        last = last.inputs[0].op

    class Signature(keras.layers.Layer):  # type: ignore[misc] # keras has no types
        """The whole model: the result, then maps on the way."""

        def call(self, image: Any) -> Any:
            return frozen(image)

        def compute_output_shape(self, _: Any) -> Any:
            return [tuple(tensor.shape.as_list()) for tensor in frozen.outputs]

    name = "".join(letter if letter.isalnum() else "_" for letter in folder.name) or "model"
    source = keras.Input(tuple(frozen.inputs[0].shape.as_list()[1:]), name="image")
    layer = Signature(name="signature")
    layer.activation = keras.activations.softmax if last.type == "Softmax" else None
    return keras.Model(source, layer(source)[0], name=name)
