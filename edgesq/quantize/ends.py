"""Cut what follows the scores at the end of a Keras model; the firmware does not compute it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

_LEFT_OUT = "{} at the end is left out: the board gives the scores"


def to_scores(model: keras.Model) -> tuple[keras.Model, tuple[str, ...]]:
    """Leave out an argmax or a log-softmax at the end, as `formats` do of a .tflite.

    Args:
        model: one list of layers, as `flat` makes it; the activation of its last layer may change.

    Returns:
        the model up to the scores that these read, and a note for each that was left out.
    """
    import keras

    if len(model.outputs) > 1:
        return model, ()
    ops = keras.ops
    probe = keras.KerasTensor((1, 2))
    kinds = {type(_made_by(ops.argmax(probe))): "argmax"}
    kinds[type(_made_by(ops.log_softmax(probe)))] = "log_softmax"
    result, found = model.outputs[0], []
    while True:
        last = _made_by(result)
        is_log = getattr(last, "activation", None) is keras.activations.log_softmax
        if type(last) in kinds or (is_log and isinstance(last, keras.layers.Activation)):
            result = last._inbound_nodes[0].input_tensors[0]
        elif is_log and len(last._inbound_nodes) == 1:
            last.activation = keras.activations.linear
        else:
            break
        found.append(kinds.get(type(last), "log_softmax"))
    if not found:
        return model, ()
    made = keras.Model(model.inputs[0], result, name=model.name)
    return made, tuple(map(_LEFT_OUT.format, found))


def scores_of(graph: Any, result: str) -> tuple[str, tuple[str, ...]]:
    """Do the same with a TensorFlow graph.

    Args:
        graph: with operators only, no functions.
        result: name of the tensor that it gives.

    Returns:
        the name of the scores, and the notes.
    """
    found = []
    last = graph.get_tensor_by_name(result).op
    while last.type in ("ArgMax", "Identity", "LogSoftmax"):
        if last.type != "Identity":
            result = last.inputs[0].name
            found.append(last.type)
        last = last.inputs[0].op
    return result, tuple(map(_LEFT_OUT.format, found))


def _made_by(tensor: Any) -> Any:
    return tensor._keras_history.operation
