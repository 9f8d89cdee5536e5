"""Read a SavedModel, a folder that TensorFlow writes, as a Keras model of one layer."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesq.errors import EdgesqError, ModelError
from edgesq.extras import require
from edgesq.limits import MAX_VALUES
from edgesq.quantize.apart import apart, start
from edgesq.quantize.ends import scores_of
from edgesq.quantize.flat import FloatModel, all_or_none, one_or
from edgesq.quantize.quiet import captured_output
from edgesq.quantize.saved_graph import FILE, OBJECT, SAVE, SavedGraph, read_saved
from edgesq.quantize.saved_inline import needed_nodes, settle

if TYPE_CHECKING:
    import keras

_MAPS = frozenset(
    {"AddV2", "AvgPool", "ConcatV2", "LeakyRelu", "MaxPool", "Mul", "Relu", "Relu6", "Sigmoid"}
)
"""Operators whose results become outputs too, so that the audit can look at them."""


def is_saved_model(path: Path) -> bool:
    """Say whether a path is a folder with a SavedModel in it."""
    return (path / FILE).is_file()


def load_saved_model(folder: Path) -> FloatModel:
    """Return a SavedModel's one signature as a Keras model for inference.

    Its only layer gives the results and, for `audit_model`, the maps on the way. Nothing of the
    folder is run before its operators are known to compute only, nor outside of a child process
    before that went well.

    Raises:
        ModelError: the folder is damaged or hostile, or its signature takes no images of fixed
            size in batches of any size.
        MissingExtraError: Keras or TensorFlow is not installed.
    """
    require("tensorflow", "keras")
    start()
    with captured_output():
        import tensorflow  # noqa: F401 # while the child imports it too
    apart(_try, folder, where=str(folder))
    with captured_output():
        return _load(folder)


def _try(folder: Path) -> None:
    """Load a SavedModel and run it."""
    import numpy as np

    model = _load(folder).keras
    images = [np.zeros((1, *one.shape[1:]), np.float32) for one in model.inputs]
    made = model(one_or(images))
    results = made if isinstance(made, list) else [made]
    if not all(np.isfinite(np.asarray(result)).all() for result in results):
        raise ModelError(
            "gives results that are not finite",
            where=str(folder),
            hint="look at its weights: one may be far too large",
        )


def _load(folder: Path) -> FloatModel:
    where = str(folder)
    try:
        saved = read_saved(folder)
        frozen, count, notes = _frozen(saved, folder)
        _refuse_single(frozen, where)
        takes_pixels = all_or_none({one.name: one.is_bytes for one in saved.inputs}, where)
        return FloatModel(_as_keras(frozen, count, saved, folder), takes_pixels, notes)
    except (EdgesqError, MemoryError, RecursionError):
        raise
    # TensorFlow raises nearly every kind of exception on a damaged folder.
    except Exception as error:
        said = " ".join(str(error).split())[:160]
        raise ModelError(
            f"cannot be read as a SavedModel: {said}", where=where, hint=SAVE
        ) from error


def _frozen(saved: SavedGraph, folder: Path) -> tuple[Any, int, tuple[str, ...]]:
    """Return the signature as a function whose weights are constants, from images to a list.

    A batch of 1 is opened to any: calibration and audit run several images at once.

    Returns:
        the function, how many results begin its list, and what was left out at its ends.
    """
    import tensorflow as tf

    definition = _with_values(saved, folder)
    inputs = {one.node: one for one in saved.inputs}
    for node in definition.node:
        node.attr.pop("_output_shapes", None)
        if node.name in inputs:
            del node.attr["shape"].shape.dim[:]
            for size in (-1, *inputs[node.name].shape[1:]):
                node.attr["shape"].shape.dim.add().size = size
    takes_bytes = [one.node for one in saved.inputs if one.is_bytes]
    settle(definition, saved.results, takes_bytes, str(folder))
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(definition, name="")
    scores = [scores_of(graph, result) for result in saved.results]
    results = list(dict.fromkeys(result for result, _ in scores))
    notes = tuple(note for _, listed in scores for note in listed)
    needed = {node.name for node in needed_nodes(definition.node, results)}
    unread = [one.name for one in saved.inputs if one.node not in needed]
    if unread:
        hint = "leave it out of the signature"
        raise ModelError(f"the input {unread[0]} is read by nothing", where=str(folder), hint=hint)
    maps = [
        tensor.name
        for operation in graph.get_operations()
        if operation.type in _MAPS and operation.name in needed
        for tensor in operation.outputs
        if tensor.shape.rank == 4 and tensor.name not in results
    ]
    sources = [one.tensor for one in saved.inputs]
    return _function(definition, sources, [*results, *maps]), len(results), notes


def _with_values(saved: SavedGraph, folder: Path) -> Any:
    """Return the graph with what its variables hold in their places."""
    import tensorflow as tf

    variables = [node for node in saved.definition.node if node.op in ("VarHandleOp", "VariableV2")]
    if not variables:
        return saved.definition
    reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    shapes, objects = reader.get_variable_to_shape_map(), _objects(reader)
    names = {node.name for node in variables}
    for node in saved.definition.node:
        if node.op == "ReadVariableOp" and node.input[0].partition(":")[0] in names:
            kind = node.attr["dtype"].type
            node.op = "Identity"
            node.attr.clear()
            node.attr["T"].type = kind
    for node in variables:
        key = objects.get(saved.keys[node.name], saved.keys[node.name])
        if key not in shapes or math.prod(shapes[key]) > MAX_VALUES:
            raise ModelError(f"has no value for {node.name}", where=str(folder), hint=SAVE)
        value = tf.make_tensor_proto(reader.get_tensor(key))
        node.op = "Const"
        node.attr.clear()
        node.attr["dtype"].type = value.dtype
        node.attr["value"].tensor.CopyFrom(value)
    return saved.definition


def _objects(reader: Any) -> dict[str, str]:
    """Return the keys of values that are kept by the number of an object."""
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    name = "_CHECKPOINTABLE_OBJECT_GRAPH"
    if not reader.has_tensor(name):
        return {}
    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    graph.ParseFromString(reader.get_tensor(name))
    return {
        f"{OBJECT}{number}": node.attributes[0].checkpoint_key
        for number, node in enumerate(graph.nodes)
        if node.attributes
    }


def _function(definition: Any, sources: list[str], results: list[str]) -> Any:
    import tensorflow as tf

    imported = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(definition, name=""), [])
    find = imported.graph.get_tensor_by_name
    return imported.prune([find(name) for name in sources], [find(name) for name in results])


def _refuse_single(frozen: Any, where: str) -> None:
    """Stop where a batch of 1 is built in, for instance into a reshape."""
    import tensorflow as tf

    shapes = [one.shape.as_list()[1:] for one in frozen.inputs]
    try:
        results = frozen(*(tf.zeros((2, *shape)) for shape in shapes))
        batches = {result.shape[0] for result in results}
    except tf.errors.InvalidArgumentError:
        batches = set()
    if batches != {2}:
        raise ModelError("takes batches of one only", where=where, hint=f"any batch size: {SAVE}")


def _as_keras(frozen: Any, count: int, saved: SavedGraph, folder: Path) -> keras.Model:
    """Return a model of one layer; the first `count` of what `frozen` gives are its results."""
    import keras

    shapes = [tuple(one.shape.as_list()[1:]) for one in frozen.inputs]
    last = frozen.outputs[0].op
    while last.type == "Identity":
        last = last.inputs[0].op

    class Signature(keras.layers.Layer):  # type: ignore[misc] # keras has no types
        """The whole model: the results, then maps on the way."""

        def call(self, given: Any) -> Any:
            images = given if isinstance(given, list) else [given]
            return frozen(
                *(
                    keras.ops.reshape(image, (-1, *shape))
                    for image, shape in zip(images, shapes, strict=True)
                )
            )

        def compute_output_shape(self, _: Any) -> Any:
            return [tuple(tensor.shape.as_list()) for tensor in frozen.outputs]

    name = "".join(letter if letter.isalnum() else "_" for letter in folder.name) or "model"
    names = ["image"] if len(shapes) == 1 else [one.name for one in saved.inputs]
    sources = [
        keras.Input((*shape, 1) if len(shape) == 2 else shape, name=label.replace("/", "_"))
        for shape, label in zip(shapes, names, strict=True)
    ]
    layer = Signature(name="signature")
    is_softmax = count == 1 and last.type == "Softmax"
    layer.activation = keras.activations.softmax if is_softmax else None
    return keras.Model(one_or(sources), one_or(layer(one_or(sources))[:count]), name=name)
