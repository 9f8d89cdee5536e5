"""What each file of this folder gives the tables of operators."""

from collections.abc import Callable
from typing import Any

from edgesq.importers.lowering import Taken
from edgesq.importers.network import Layer
from edgesq.importers.scopes import KerasScope, TfliteScope

OnnxOperators = dict[str, Taken]
"""How an operator becomes layers, by ONNX's name."""

KerasMakers = dict[type[Layer], Callable[[KerasScope, Any], Any]]
"""How a layer becomes one of Keras, by its class; to its symbolic result."""

TfliteWriters = dict[type[Layer], Callable[[TfliteScope, Any], None]]
"""How a layer is written in int8, by its class."""
