"""Layers and functions that Keras 2 had and Keras 3 lacks: TFOpLambda, the old hard sigmoid."""

from __future__ import annotations

from functools import reduce
from typing import Any

import keras

from edgesq.errors import ModelError
from edgesq.quantize.keras_legacy import HARD_SIGMOID, OPERATORS

_TAKEN = {
    "__operators__.add": "math.add",
    "__operators__.getitem": "__operators__.getitem",
    **{
        name: name
        for name in (
            *("add", "subtract", "multiply", "divide", "maximum", "minimum", "abs", "square"),
            *("concat", "reshape", "transpose", "cast", "squeeze", "expand_dims", "clip_by_value"),
            *("sigmoid", "tanh", "pad", "identity", "stop_gradient", "convert_to_tensor"),
            *("math.add", "math.subtract", "math.multiply", "math.divide", "math.truediv"),
            *("math.maximum", "math.minimum", "math.sigmoid", "math.tanh", "math.reduce_mean"),
            *("math.reduce_max", "math.reduce_sum", "math.abs", "math.square", "math.rsqrt"),
            *("nn.relu", "nn.relu6", "nn.leaky_relu", "nn.softmax", "nn.sigmoid", "nn.tanh"),
            *("nn.bias_add", "nn.silu", "nn.swish", "nn.elu", "nn.avg_pool2d", "nn.max_pool2d"),
            *("nn.space_to_depth", "nn.depth_to_space", "image.resize"),
        )
    },
}
"""By the name that Keras 2 writes: the function's place in TensorFlow."""


class TFOpLambda(keras.layers.Layer):  # type: ignore[misc] # keras has no types
    """One of TensorFlow's functions, of those that touch nothing but tensors."""

    def __init__(self, function: str, **how: Any) -> None:
        super().__init__(**how)
        if function not in _TAKEN:
            raise ModelError(
                f"uses TensorFlow's function {function} as a layer, which is not read",
                hint="save the model with model.export(folder) by the Keras that made it",
            )
        self.function = function

    def call(self, *values: Any, named: Any = (), **how: Any) -> Any:
        """Call the function as the model's graph says.

        Args:
            values: its arguments, the last of them by name.
            named: these names.
            how: further arguments, numbers; `first` is the first of all.
        """
        import tensorflow as tf

        how.pop("name", None)
        cut = len(values) - len(named)
        how |= dict(zip(named, values[cut:], strict=True))
        values = values[:cut]
        if "first" in how:
            values = (how.pop("first"), *values)
        if self.function == "__operators__.getitem":
            return _item(*values, **how)
        function = reduce(getattr, _TAKEN[self.function].split("."), tf)
        return function(*values, **how)

    def get_config(self) -> dict[str, Any]:
        """Return what makes the same layer again."""
        return {**super().get_config(), "function": self.function}


def _item(values: Any, slice_spec: Any) -> Any:
    """Index values by numbers and by slices, which a configuration holds as dictionaries."""
    keys = tuple(
        slice(key["start"], key["stop"], key["step"]) if isinstance(key, dict) else key
        for key in (slice_spec if isinstance(slice_spec, list | tuple) else [slice_spec])
    )
    return values[keys]


def keras_2_hard_sigmoid(values: Any) -> Any:
    """Return 0.2 x + 0.5, limited to 0 and 1, in operators that the converter fuses."""
    return keras.ops.relu6(values * 1.2 + 3.0) / 6.0


OBJECTS = {
    **dict.fromkeys(OPERATORS, TFOpLambda),
    HARD_SIGMOID: keras_2_hard_sigmoid,
}
"""What a modernized configuration may name beside Keras' own."""
