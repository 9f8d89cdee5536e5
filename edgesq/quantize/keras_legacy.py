"""Bring the configuration of a model that an older Keras wrote to the installed one's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgesq.quantize.keras_config import GRAPHS, UNREAD, Config, layers_of, parts_of

_FLOATS = frozenset({"float16", "bfloat16", "float64", "half", "mixed_float16", "mixed_bfloat16"})
_IDLE: dict[str, tuple[Any, ...]] = {
    "groups": (1, None),
    "rng_type": ("stateful", "stateless", "legacy_stateful", None),
    "renorm": (False, None),
    "renorm_clipping": (None,),
    "renorm_momentum": (0.99, None),
    "fused": (True, False, None),
    "virtual_batch_size": (None,),
    "adjustment": (None,),
    "implementation": (0, 1, 2, None),
    "time_major": (False,),
    "experimental_autocast": (True, False, None),
    "input_dim": (None,),
    "input_dtype": (None, "float32"),
}
"""Keys that Keras 3 refuses, with the values at which they have no effect and may be dropped."""

_TRAINING = frozenset(
    {
        *("ActivityRegularization", "AlphaDropout", "AugMix", "CutMix", "Dropout"),
        *("GaussianDropout", "GaussianNoise", "MixUp", "RandAugment", "RandomBrightness"),
        *("RandomColorDegeneration", "RandomColorJitter", "RandomContrast"),
        *("RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur"),
        *("RandomGrayscale", "RandomHeight", "RandomHue", "RandomInvert", "RandomPerspective"),
        *("RandomPosterization", "RandomRotation", "RandomSaturation", "RandomSharpness"),
        *("RandomShear", "RandomTranslation", "RandomWidth", "RandomZoom", "SpatialDropout1D"),
        *("SpatialDropout2D", "SpatialDropout3D"),
    }
)
"""Layers that return their input except in training; RandomCrop is not one of them."""

OPERATORS = frozenset({"TFOpLambda", "SlicingOpLambda"})
HARD_SIGMOID = "keras_2_hard_sigmoid"
_FUNCTION = {"module": "builtins", "class_name": "function", "registered_name": "function"}
_TENSOR = "__keras_tensor__"
_CONSTANT = "_CONSTANT_VALUE"
_DEPTHWISE = frozenset({"DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"})
_OF_KERNEL = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")
_WITH_GROUPS = frozenset({"Conv1D", "Conv2D", "Conv3D", "GroupNormalization"})
_INPUT_SHAPES = ("batch_input_shape", "batch_shape")


def modernized(config: Config, version: int = 3) -> Config:
    """Return the same model in Keras 3's terms, every layer in float32.

    Weights are stored in float32 also where a policy computes in 16 bits. A "/" in a layer's name,
    which Keras 3 refuses, becomes a "_".

    Args:
        config: of a whole model, as its file holds it.
        version: of the Keras that wrote it.
    """
    new: Config = _modern(config, _new_names(config))
    if version < 3:
        _mark_hard_sigmoids(new)
    return new


def _mark_hard_sigmoids(item: Any) -> None:
    """Name the function that Keras 2 meant: its hard sigmoid is steeper than Keras 3's."""
    for value in item.values() if isinstance(item, dict) else item:
        if isinstance(value, dict | list):
            _mark_hard_sigmoids(value)
    if isinstance(item, dict) and isinstance(item.get("config"), dict):
        for key in ("activation", "recurrent_activation"):
            if item["config"].get(key) == "hard_sigmoid":
                item["config"][key] = {**_FUNCTION, "config": HARD_SIGMOID}


def _new_names(config: Config) -> Mapping[str, str]:
    """Return new names for those with a "/", different from all others."""
    names: set[str] = set()
    graphs = [config]
    while graphs:
        for layer in layers_of(graphs.pop()):
            inner = layer.get("config")
            both = (layer.get("name"), inner.get("name") if isinstance(inner, dict) else None)
            names.update(name for name in both if isinstance(name, str))
            graphs += [layer] if layer.get("class_name") in GRAPHS else []
    new: dict[str, str] = {}
    for name in sorted(name for name in names if "/" in name):
        made = name.replace("/", "_")
        while made in names:
            made += "_"
        names.add(made)
        new[name] = made
    return new


def _modern(item: Any, names: Mapping[str, str]) -> Any:
    if isinstance(item, str):
        return names.get(item, item)
    if isinstance(item, list):
        return [_modern(one, names) for one in item]
    if not isinstance(item, dict):
        return item
    new = {key: _modern(value, names) for key, value in item.items() if key not in UNREAD}
    if "dtype" in new:
        new["dtype"] = _single(new["dtype"])
    if isinstance(new.get("class_name"), str) and "config" in new:
        _modernize_object(new)
    return new


def _single(dtype: Any) -> Any:
    """Return float32 for every type and policy of floats."""
    if isinstance(dtype, dict):
        inner = dtype.get("config")
        dtype = inner.get("name", "float32") if isinstance(inner, dict) else "float32"
    return "float32" if dtype in _FLOATS else dtype


def _modernize_object(item: Config) -> None:
    name, config, module = item["class_name"], item["config"], item.get("module")
    parts = parts_of(module) if isinstance(module, str) else []
    if name in _TRAINING:
        item["class_name"] = "Identity"
        item["config"] = config = {"name": dict(config).get("name")}
    if name in GRAPHS:
        _modernize_graph(item)
    elif parts and (parts[0] == "layers" or not str(module).startswith("keras.")):
        item["module"] = f"keras.{parts[0]}"
    if not isinstance(config, dict):
        return
    for key, idle in _IDLE.items():
        if key in config and config[key] in idle and not (key == "groups" and name in _WITH_GROUPS):
            del config[key]
    for key in _OF_KERNEL if name in _DEPTHWISE else ():
        config.pop(key, None)
    axis = config.get("axis")
    if name == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        config["axis"] = axis[0]


def _modernize_graph(item: Config) -> None:
    """Give a model its class of today."""
    name = "Sequential" if item["class_name"] == "Sequential" else "Functional"
    item["class_name"] = name
    if item.get("module") is not None:
        item["module"] = "keras" if name == "Sequential" else "keras.src.models.functional"
        item["registered_name"] = name
    layers = layers_of(item)
    if isinstance(item["config"], list):
        item["config"] = {"name": "sequential", "layers": layers}
    if name == "Sequential" and layers:
        item["config"]["layers"] = _with_input(layers)
    _modernize_calls(item["config"], layers)


def _modernize_calls(config: Config, layers: list[Config]) -> None:
    """Convert the calls between layers from Keras 2's nested lists to Keras 3's form.

    There a model inside the model has one call more than here, its own making.
    """
    made = {layer.get("name"): int(layer.get("class_name") in GRAPHS) for layer in layers}
    is_old = False
    for layer in layers:
        nodes = layer.get("inbound_nodes")
        if isinstance(nodes, list):
            is_old |= any(isinstance(node, list) for node in nodes)
            layer["inbound_nodes"] = [
                _node(node, made, layer.get("class_name") in OPERATORS) for node in nodes
            ]
    sequentials = {layer.get("name") for layer in layers if layer["class_name"] == "Sequential"}
    for ends in ("input_layers", "output_layers"):
        found = config.get(ends)
        if not isinstance(found, list):
            continue
        for end in found if is_old else ():
            if isinstance(end, list) and end and end[0] in sequentials and end[1] > 0:
                end[1] -= 1
        if len(found) == 1 and isinstance(found[0], list):
            config[ends] = found[0]


def _with_input(layers: list[Config]) -> list[Config]:
    """Return a Sequential's layers, the shape of its input in a layer of its own."""
    configs: list[Config] = [
        layer["config"]
        for layer in layers
        if isinstance(layer.get("config"), dict) and layer.get("class_name") != "InputLayer"
    ]
    shapes = [one.pop(key) for one in configs for key in _INPUT_SHAPES if key in one]
    first = layers[0]
    if not shapes or first.get("class_name") in ("InputLayer", *GRAPHS):
        return layers
    like: Config = {key: first[key] for key in ("module", "registered_name") if key in first}
    source = {"batch_shape": shapes[0], "name": "image"}
    return [{"class_name": "InputLayer", "config": source, **like}, *layers]


def _node(node: Any, made: Mapping[Any, int], is_operator: bool) -> Any:
    """Return one call, a list of [layer, call, tensor, arguments] or one of them, as Keras 3 does.

    Args:
        node: the call.
        made: names of layers, with the number of their calls that are not there.
        is_operator: it calls one of TensorFlow's functions.
    """
    if not isinstance(node, list) or not node:
        return node
    several = isinstance(node[0], list)
    calls = [(*call, {})[:4] for call in (node if several else [node])]
    if not all(len(call) == 4 and isinstance(call[3], dict) for call in calls):
        return node
    how = {key: _tensor(value, made) for key, value in calls[0][3].items()}
    values = [_tensor(list(call[:3]), made) for call in calls if call[0] != _CONSTANT]
    args: list[Any] = [values] if len(values) > 1 else values
    if calls[0][0] == _CONSTANT:
        how["first"] = calls[0][2]
    if is_operator:  # it may not have tensors among other arguments with names
        named = [key for key, value in how.items() if _is_tensor(value)]
        args += [how.pop(key) for key in named]
        how |= {"named": named}
    return {"args": args, "kwargs": how}


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == _TENSOR


def _tensor(value: Any, made: Mapping[Any, int]) -> Any:
    """Return what stands for a layer's result, also inside of lists; other values as they are."""
    if not isinstance(value, list):
        return value
    is_tensor = len(value) == 3 and isinstance(value[0], str) and value[0] in made
    if is_tensor and isinstance(value[1], int):
        history = [value[0], max(value[1] - made[value[0]], 0), value[2]]
        config = {"shape": [None], "dtype": "float32", "keras_history": history}
        return {"class_name": _TENSOR, "config": config}
    return [_tensor(one, made) for one in value]
