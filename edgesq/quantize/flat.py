"""Rebuild a Keras model as one flat graph of layers, so that later stages walk over one list.

Models inside models are written out; layers that do nothing in inference are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgesq.errors import ModelError
from edgesq.limits import MAX_VALUES
from edgesq.quantize.convert import RECURRENT_HINT

if TYPE_CHECKING:
    import keras

_SIZE = "build the model with the input size that the board will see"


@dataclass(frozen=True, eq=False)
class FloatModel:
    """A model as it is quantized.

    Attributes:
        keras: float32 [None, H, W, C] or [None, C] by input.
        takes_pixels: the file's images are of whole numbers, so pixels as they are.
        notes: what was left out.
    """

    keras: keras.Model
    takes_pixels: bool
    notes: tuple[str, ...] = ()


def takes_pixels(model: Any, where: str) -> bool:
    """Say whether the images that a model takes are of whole numbers.

    Raises:
        ModelError: some are, and others are not.
    """
    whole = {one.name: str(one.dtype).startswith(("uint", "int")) for one in model.inputs}
    return all_or_none(whole, where)


def all_or_none(whole: Mapping[str, bool], where: str) -> bool:
    """Say whether a model's inputs are of whole numbers.

    Args:
        whole: which of them are, by name.
        where: the file, for errors.

    Raises:
        ModelError: some are, and others are not.
    """
    if len(set(whole.values())) > 1:
        names = ", ".join(name for name, is_whole in whole.items() if is_whole)
        raise ModelError(
            f"takes whole numbers as {names}, and floats beside them",
            where=where,
            hint="cast to float32 outside of the model",
        )
    return any(whole.values())


def flat(model: Any, where: str) -> keras.Model:
    """Return a model of one list of layers, float32, that computes the same in inference.

    An input is [None, H, W, C] also where the model takes images without channels, or bytes.
    Layers that Keras cannot look into are taken as they are.

    Args:
        model: as Keras loads it; it is not changed.
        where: the file, for errors.

    Raises:
        ModelError: it has no graph of layers, an output that is an input, recurrent layers, or
            values that are not finite or too large.
    """
    import keras

    from edgesq.quantize.keras_operators import OBJECTS

    graph = _graph(model)
    if graph is None:
        raise ModelError("is not built, so its layers have no shapes", where=where, hint=_SIZE)
    copier = _Copier(where)
    _check_recurrent(model, where)
    sources, firsts = _sources(graph, where)
    copier.names |= {"pixels", *(source.name for source in sources)}
    with keras.saving.custom_object_scope(OBJECTS):
        results = keras.tree.flatten(copier.through(graph, firsts))
    _check_ends(firsts, [*sources, *firsts], results, where)
    results = _named(graph, results, copier)
    made = keras.Model(one_or(sources), one_or(results), name=_plain(model.name))
    copier.set_weights()
    _check_sizes(made, where)
    return made


def _check_ends(firsts: list[Any], inputs: list[Any], results: list[Any], where: str) -> None:
    """Refuse outputs that are inputs, or given twice, and inputs that nothing reads."""
    given = [one for one in inputs if any(one is result for result in results)]
    if given:
        raise ModelError(
            f"an output is the input {given[0].name}",
            where=where,
            hint="leave this output out: a program has what it gives the model",
        )
    if len({id(result) for result in results}) < len(results):
        raise ModelError("gives an output twice", where=where, hint="name each output once")
    for first in firsts:
        operation = first._keras_history.operation
        if not operation._outbound_nodes:
            raise ModelError(
                f"the input {operation.name} is read by nothing",
                where=where,
                hint="leave it out of the model",
            )


def _named(graph: Any, results: list[Any], copier: _Copier) -> list[Any]:
    """Return several outputs, under the names that a dictionary of them gives."""
    import keras

    keys = sorted(graph._outputs_struct) if isinstance(graph._outputs_struct, dict) else []
    if len(keys) != len(results) or len(results) == 1:
        return results
    return [
        keras.layers.Identity(name=copier.free(key))(one)
        for key, one in zip(keys, results, strict=True)
    ]


def one_or(values: list[Any]) -> Any:
    """Return the only value, or the list of several, as Keras wants inputs and outputs."""
    return values[0] if len(values) == 1 else values


def _sources(graph: Any, where: str) -> tuple[list[Any], list[Any]]:
    """Return new inputs, and what the copied layers read of them."""
    import keras

    sources, firsts = [], []
    for one in graph.inputs:
        shape = tuple(one.shape[1:])
        if len(shape) not in (1, 2, 3) or None in shape:
            raise ModelError(
                f"the input shape {list(shape)} is not a fixed [H, W, C], [H, W] or [C]",
                where=where,
                hint=_SIZE,
            )
        has_all = len(shape) != 2
        sources.append(keras.Input(shape if has_all else (*shape, 1), name=one.name))
        as_read = sources[-1]
        firsts.append(as_read if has_all else keras.layers.Reshape(shape, name="pixels")(as_read))
    return sources, firsts


class _Copier:
    """Copies layers into a new graph; one that is used several times is copied once."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.names: set[str] = set()
        self._made: dict[int, tuple[Any, Any]] = {}

    def through(self, graph: Any, values: Any) -> Any:
        """Set the weights of the copies of a graph's layers."""
        import keras

        values = keras.tree.flatten(values)
        if [len(one.shape) for one in values] != [len(one.shape) for one in graph.inputs]:
            values = graph._adjust_input_rank(values)
        result = graph._run_through_graph(values, operation_fn=self._called)
        result = keras.tree.flatten(result)
        return result[0] if len(result) == 1 else result

    def _called(self, operation: Any) -> Callable[..., Any]:
        def call(*values: Any, **how: Any) -> Any:
            graph = _graph(operation)
            if graph is not None:
                return self.through(graph, values[0])
            if _is_idle(operation):
                return values[0]
            return self._copy(operation)(*values, **how)

        return call

    def _copy(self, operation: Any) -> Any:
        import keras

        if id(operation) not in self._made:
            config = operation.get_config()
            name = self.free(operation.name)
            if isinstance(operation, keras.layers.Layer):
                made = type(operation).from_config({**config, "name": name})
            else:
                made = type(operation).from_config(config)
                made.name = name
            self._made[id(operation)] = made, operation
        return self._made[id(operation)][0]

    def free(self, name: str) -> str:
        """Return a name that no other layer of the new model has."""
        free, count = name, 1
        while free in self.names:
            free, count = f"{name}_{count}", count + 1
        self.names.add(free)
        return free

    def set_weights(self) -> None:
        """Give the copies the weights of the originals, in float32."""
        for made, original in self._made.values():
            weights = original.get_weights() if hasattr(original, "get_weights") else []
            if not all(np.isfinite(np.asarray(one, np.float64)).all() for one in weights):
                raise ModelError(
                    f"the weights of {original.name} hold values that are not finite",
                    where=self.where,
                    hint="its training has diverged: train it anew",
                )
            if weights:
                made.set_weights(weights)
            if hasattr(made, "finalize_state"):
                made.finalize_state()  # Normalization keeps what it makes of its weights


def _graph(layer: Any) -> Any:
    """Return the graph of a model that is built of layers; None for a layer."""
    import keras

    if isinstance(layer, keras.Sequential):
        layer = layer._functional
    return layer if hasattr(layer, "_run_through_graph") else None


def _is_idle(layer: Any) -> bool:
    """Say whether a layer returns its input, as replaced training-only layers do."""
    import keras

    if type(layer) is keras.layers.Pipeline:
        return all(_is_idle(one) for one in layer.layers)
    return type(layer) is keras.layers.Identity


def _leaves(layer: Any) -> Iterator[Any]:
    import keras

    for one in layer.layers if isinstance(layer, keras.Model) else ():
        yield one
        yield from _leaves(one)


def _check_recurrent(model: Any, where: str) -> None:
    import keras

    kinds = (keras.layers.RNN, keras.layers.Bidirectional)
    found = [one.name for one in _leaves(model) if isinstance(one, kinds)]
    if found:
        raise ModelError(
            f"has recurrent layers: {', '.join(found)}",
            where=where,
            hint=RECURRENT_HINT,
        )


def _check_sizes(model: Any, where: str) -> None:
    """Refuse maps that are too large, or of no fixed size, before any is computed."""
    for layer in model.layers:
        for node in layer._inbound_nodes:
            for tensor in node.outputs:
                shape = tensor.shape[1:]
                if None in shape or math.prod(shape) > MAX_VALUES:
                    raise ModelError(
                        f"{layer.name} gives {list(shape)}; {MAX_VALUES:,} values are the most",
                        where=where,
                        hint=_SIZE,
                    )


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name) or "model"
