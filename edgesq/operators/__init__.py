"""THE table of operators: a class each, with what is the same for all operators of a kind.

Every stage has a table of its own, from these classes to what it does with such an operator, and
`handler` looks it up; a test holds that no stage lacks one. Numbers of tensors index
`Graph.tensors`.
"""

from edgesq.operators.base import Access, Op, Window, Windowed
from edgesq.operators.binary import (
    Add,
    Binary,
    Maximum,
    Minimum,
    Mul,
    Prelu,
    SquaredDifference,
    Sub,
)
from edgesq.operators.conv import (
    Conv2D,
    Convolution,
    DepthwiseConv2D,
    FullyConnected,
    GroupedConv2D,
)
from edgesq.operators.curve import INPUT, STEPS, Curve, Step
from edgesq.operators.lookup import (
    HardSwish,
    LeakyRelu,
    Logistic,
    Lookup,
    Quantize,
    Rectifier,
    Relu,
    Relu0To1,
    Relu6,
    ReluN1To1,
    Tanh,
)
from edgesq.operators.move import (
    OUTSIDE,
    Concatenation,
    DepthToSpace,
    Gather,
    Move,
    Pad,
    PadV2,
    Pick,
    ResizeNearest,
    Slice,
    SpaceToDepth,
    StridedSlice,
    Tile,
    Transpose,
)
from edgesq.operators.pool import AveragePool2D, HalvesUpPool2D, MaxPool2D
from edgesq.operators.reduce import Mean, MeanAlong, ReduceMax, ReduceMin, Reduction, Sum
from edgesq.operators.sequence import State, Stateful, Svdf
from edgesq.operators.shape import Reshape
from edgesq.operators.softmax import Softmax
from edgesq.operators.table import OPERATORS, READ_AS, handler

__all__ = [
    "INPUT",
    "OPERATORS",
    "OUTSIDE",
    "READ_AS",
    "STEPS",
    "Access",
    "Add",
    "AveragePool2D",
    "Binary",
    "Concatenation",
    "Conv2D",
    "Convolution",
    "Curve",
    "DepthToSpace",
    "DepthwiseConv2D",
    "FullyConnected",
    "Gather",
    "GroupedConv2D",
    "HalvesUpPool2D",
    "HardSwish",
    "LeakyRelu",
    "Logistic",
    "Lookup",
    "MaxPool2D",
    "Maximum",
    "Mean",
    "MeanAlong",
    "Minimum",
    "Move",
    "Mul",
    "Op",
    "Pad",
    "PadV2",
    "Pick",
    "Prelu",
    "Quantize",
    "Rectifier",
    "ReduceMax",
    "ReduceMin",
    "Reduction",
    "Relu",
    "Relu0To1",
    "Relu6",
    "ReluN1To1",
    "Reshape",
    "ResizeNearest",
    "Slice",
    "Softmax",
    "SpaceToDepth",
    "SquaredDifference",
    "State",
    "Stateful",
    "Step",
    "StridedSlice",
    "Sub",
    "Sum",
    "Svdf",
    "Tanh",
    "Tile",
    "Transpose",
    "Window",
    "Windowed",
    "handler",
]
