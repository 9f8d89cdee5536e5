"""Configurations as Keras files hold them."""

from typing import Any

Config = dict[str, Any]

LAYER: Config = {
    "module": "keras.layers",
    "class_name": "Dense",
    "config": {"name": "a", "units": 3},
    "registered_name": None,
    "name": "a",
    "inbound_nodes": [],
}


def functional(layers: list[Config]) -> Config:
    """Return a model of these layers."""
    return {"module": "keras", "class_name": "Functional", "config": {"layers": layers}}


def chained(count: int) -> Config:
    """Return models in models, each calling the one inside twice."""
    model = functional([LAYER, LAYER])
    for _ in range(count):
        model = functional([{**model, "inbound_nodes": [[["a", 0, 0, {}]]] * 2}])
    return model


def as_keras_2(config: Config) -> Config:
    """Return a functional model's configuration as Keras 2.4 wrote it."""
    config["class_name"] = "Model"
    for layer in config["config"]["layers"]:
        _as_keras_2(layer)
    config["config"]["output_layers"] = [config["config"]["output_layers"]]
    return config


def _as_keras_2(layer: Config) -> None:
    for key in ("module", "registered_name", "build_config"):
        layer.pop(key, None)
    inner = layer["config"]
    if layer["class_name"] == "Sequential":
        for one in inner["layers"]:
            _as_keras_2(one)
        return
    inner["dtype"] = {"class_name": "Policy", "config": {"name": "mixed_float16"}}
    if layer["class_name"] == "InputLayer":
        inner.update(batch_input_shape=inner.pop("batch_shape"), sparse=False, dtype="float32")
    if layer["class_name"] == "DepthwiseConv2D":
        inner["groups"] = 1
        inner["kernel_initializer"] = None
    if layer["class_name"] == "BatchNormalization":
        inner.update(axis=[3], fused=True)
    times = layer["class_name"] == "Rescaling"
    if times:
        layer["class_name"] = "TFOpLambda"
        layer["config"] = {"name": inner["name"], "function": "math.multiply"}
    if "inbound_nodes" in layer:
        nodes = [_node(node, times) for node in layer["inbound_nodes"]]
        layer["inbound_nodes"] = nodes
    rename(layer)


def _node(node: Config, times: bool) -> Any:
    (source,) = node["args"]
    name, call, tensor = source["config"]["keras_history"]
    if times:
        return [name, call, tensor, {"y": 2.0, "name": None}]
    return [["block/conv" if name == "conv" else name, call + (name == "inner"), tensor, {}]]


def rename(layer: Config) -> None:
    """Give the convolution a name with a "/"."""
    for item in (layer, layer["config"]):
        if item.get("name") == "conv":
            item["name"] = "block/conv"
