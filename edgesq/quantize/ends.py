"""Cut what follows the scores at the end of a Keras model; the firmware does not compute it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgesq.quantize.flat import one_or

if TYPE_CHECKING:
    import keras

_LEFT_OUT = "{} at the end is left out: the board gives the scores"


def to_scores(model: keras.Model) -> tuple[keras.Model, tuple[str, ...]]:
    """Leave out an argmax or a log-softmax at the ends, as `formats` do of a .tflite.

    Args:
        model: one list of layers, as `flat` makes it; the activation of a last layer may change.

    Returns:
        the model up to the scores that these read, and a note for each that was left out. Outputs
        that come from the same scores become one.
    """
    import keras

    found: list[str] = []
    results = {id(one): one for one in (_scores(end, found) for end in model.outputs)}
    if not found:
        return model, ()
    made = keras.Model(one_or(model.inputs), one_or(list(results.values())), name=model.name)
    return made, tuple(map(_LEFT_OUT.format, found))


def _scores(result: Any, found: list[str]) -> Any:
    """Return what an output decides by; add to `found` what is left out."""
    import keras

    ops = keras.ops
    probe = keras.KerasTensor((1, 2))
    kinds = {type(_made_by(ops.argmax(probe))): "argmax"}
    kinds[type(_made_by(ops.log_softmax(probe)))] = "log_softmax"
    scores, passed = result, 0
    while True:
        last = _made_by(result)
        is_log = getattr(last, "activation", None) is keras.activations.log_softmax
        is_alone = is_log and isinstance(last, keras.layers.Activation)
        if type(last) is keras.layers.Identity or type(last) in kinds or is_alone:
            result = last._inbound_nodes[0].input_tensors[0]
        elif is_log and _is_read_at_most(last, passed):
            last.activation = keras.activations.linear
        else:
            return scores
        passed = 1
        if type(last) is not keras.layers.Identity:
            found.append(kinds.get(type(last), "log_softmax"))
            scores = result


def _is_read_at_most(layer: Any, times: int) -> bool:
    """Say whether a layer is called once, and what it gives read so often at most."""
    return len(layer._inbound_nodes) == 1 and len(layer._outbound_nodes) <= times


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
