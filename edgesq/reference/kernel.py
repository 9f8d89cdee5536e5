"""What each file of this room gives the table of kernels."""

from collections.abc import Callable

from edgesq.graph import Int8Array
from edgesq.operators import Op

Kernel = Callable[..., Int8Array]
"""From graph, operator and its inputs, each int8 [H, W, C], to its output, int8 [H, W, C]."""

Kernels = dict[type[Op], Kernel]
"""By class of the operator."""
