"""Check the configuration in a Keras file before Keras builds a model of it.

Keras makes what a configuration names: classes of any of its modules, functions, code. So only
layers and what belongs to them pass, with numbers and sizes that an image network can have.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from edgesq.errors import ModelError
from edgesq.limits import MAX_EXTENT, MAX_NODES, MAX_VALUES

Config = dict[str, Any]

_PARTS = frozenset(
    {
        *("activations", "constraints", "dtype_policies", "engine", "initializers", "layers"),
        *("losses", "metrics", "mixed_precision", "models", "ops", "optimizers", "random"),
        *("regularizers",),
    }
)
"""Parts of Keras whose classes a model's configuration may name."""

PACKAGES = frozenset({"keras", "src", "tf_keras", "tensorflow", "python", "api", "_tf_keras"})
"""Packages that may stand before the name of such a part."""

_CODE = {
    "Lambda": "has a Lambda layer, which would run code from the file",
    "__lambda__": "holds a Python function, which would run code from the file",
    "TFSMLayer": "has a TFSMLayer, which would run another model from the disk",
    "TorchModuleWrapper": "has a TorchModuleWrapper, which would run code from the file",
    "JaxLayer": "has a JaxLayer, which would run code from the file",
    "FlaxLayer": "has a FlaxLayer, which would run code from the file",
    "StringLookup": "has a StringLookup, which reads files and no image",
    "QuantizedDTypePolicy": "was quantized by Keras itself: give the float model",
    "QuantizedFloat8DTypePolicy": "was quantized by Keras itself: give the float model",
    "IntegerLookup": "has an IntegerLookup, which reads files and no image",
    "TextVectorization": "has a TextVectorization, which reads files and no image",
}
_UNCOUNTED = 1 << 60
_SHOWN = 40
_OWN_LAYERS = "build the model from Keras' own layers and save it again, as .keras"
_TRAINED = "its training for int8 is kept in an int8 .tflite only: convert it, and give that"
_WRAPPERS = {
    "ClusterWeights": "take it off first: tfmot.clustering.keras.strip_clustering(model)",
    "PruneLowMagnitude": "take it off first: tfmot.sparsity.keras.strip_pruning(model)",
    **dict.fromkeys(("QuantizeLayer", "QuantizeWrapper", "QuantizeWrapperV2"), _TRAINED),
}
"""TensorFlow Model Optimization's layers around others, and what to do with them."""

_BOARD_SIZE = "give a model for images of a size that a board can take"

GRAPHS = frozenset({"Functional", "Model", "Sequential"})
_SHAPES = frozenset({"batch_shape", "batch_input_shape", "shape", "input_shape"})
UNREAD = frozenset({"compile_config", "training_config"})
"""Keys whose values are not looked into."""

_FREE = UNREAD | {"seed", "shared_object_id"}
"""Keys that set no size, so any number is accepted."""


class UnknownLayerError(ModelError):
    """A model has a layer that is none of Keras' own.

    Args:
        name: of its class, with its package where it has one.
    """

    def __init__(self, name: str, where: str | None = None) -> None:
        hint = _WRAPPERS.get(name.rpartition(">")[2].rpartition(".")[2], _OWN_LAYERS)
        super().__init__(f"has a layer that Keras does not know: {name}", where=where, hint=hint)
        self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        """Let another process raise it again."""
        return UnknownLayerError, (self.name, self.where)


def check_config(config: Config, where: str, known: frozenset[str] = frozenset()) -> None:
    """Refuse what would run code, comes from elsewhere than Keras, or is too large.

    Args:
        config: of a whole model, as its file holds it.
        where: the file.
        known: names of own classes that this process has registered with Keras.

    Raises:
        ModelError: it is such a one.
    """
    for item in _dicts(config):
        for key, value in item.items():
            for number in _numbers(value) if key not in _FREE else ():
                if abs(number) > MAX_EXTENT:
                    raise ModelError(
                        f"a number beyond {MAX_EXTENT:,} for {key[:_SHOWN]}",
                        where=where,
                        hint=_BOARD_SIZE,
                    )
            if key in _SHAPES:
                _check_shape(value, where)
        if item.get("training") is True:
            raise ModelError(
                "calls a layer as in training, also in inference",
                where=where,
                hint="build the model without training=True",
            )
        if "class_name" in item:
            _check_class(item, where, known)
    calls = _calls(config, {})
    if calls > MAX_NODES:
        raise ModelError(
            f"{calls:.3g} layers with nested models written out, at most {MAX_NODES:,} are read",
            where=where,
            hint=_BOARD_SIZE,
        )


def _dicts(config: Config) -> Iterator[Config]:
    """Yield every dictionary of a configuration but those that nothing is made of."""
    left: list[Any] = [config]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            yield item
            left += (value for key, value in item.items() if key not in _FREE)
        elif isinstance(item, list):
            left += item


def _numbers(value: Any) -> Iterator[float]:
    """Yield a whole number, or those of a list of them."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, int) and not isinstance(one, bool):
            yield one


def _check_shape(shape: Any, where: str) -> None:
    sizes = [one for one in shape if isinstance(one, int)] if isinstance(shape, list) else []
    if any(size < 0 for size in sizes) or math.prod(sizes) > MAX_VALUES:
        raise ModelError(
            f"the input shape {sizes}, at most {MAX_VALUES:,} values are read",
            where=where,
            hint=_BOARD_SIZE,
        )


def _check_class(item: Config, where: str, known: frozenset[str]) -> None:
    name, module = item["class_name"], item.get("module")
    if not isinstance(name, str) or not isinstance(module, str | None):
        raise ModelError("names a class by something else than text", where=where, hint=_OWN_LAYERS)
    if name in _CODE:
        raise ModelError(_CODE[name], where=where, hint=_OWN_LAYERS)
    if _is_marshalled(item.get("config")):
        raise ModelError(_CODE["__lambda__"], where=where, hint=_OWN_LAYERS)
    registered = item.get("registered_name")
    package = registered.partition(">") if isinstance(registered, str) else ("", "", "")
    full = registered if package[1] else name
    if full in known or name in known:
        return
    if package[1] or not _is_of_keras(module, name):
        raise UnknownLayerError(str(full if package[1] else f"{module}.{name}"), where)


def _is_of_keras(module: str | None, name: str) -> bool:
    if module is None:
        return True
    if module == "builtins":
        return name in ("function", "dict", "list", "tuple", "str", "int", "float", "bool")
    parts = parts_of(module)
    is_kerass = len(parts) < len(module.split("."))
    return is_kerass and name != "function" and (not parts or parts[0] in _PARTS)


def parts_of(module: str) -> list[str]:
    """Return the path of a module inside Keras."""
    parts = module.split(".")
    while parts and parts[0] in PACKAGES:
        del parts[0]
    return parts


def _is_marshalled(config: Any) -> bool:
    """Say whether a layer keeps a function as byte code, as Keras 2 does."""
    return isinstance(config, dict) and "lambda" in (
        config.get("function_type"),
        config.get("output_shape_type"),
    )


def _calls(graph: Any, seen: dict[int, int]) -> int:
    """Return how many layers a model has with those of nested models, each call counted."""
    if id(graph) in seen:
        return seen[id(graph)]
    count = 0
    for layer in layers_of(graph):
        nodes = layer.get("inbound_nodes")
        times = max(len(nodes), 1) if isinstance(nodes, list) else 1
        count += times * (_calls(layer, seen) if layer.get("class_name") in GRAPHS else 1)
    seen[id(graph)] = min(count, _UNCOUNTED)
    return seen[id(graph)]


def layers_of(graph: Any) -> list[Config]:
    """Return a model's layers; Keras 1 kept a Sequential's as its whole configuration."""
    config = graph.get("config") if isinstance(graph, dict) else None
    layers = config.get("layers") if isinstance(config, dict) else config
    return (
        [layer for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []
    )
