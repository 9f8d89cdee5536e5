"""What all operators have: their class, their facts, how the runtime walks their rows."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, TypedDict, Unpack


class Access(Enum):
    """How an operator walks its rows."""

    WINDOW = "one output row from the input rows under a window"
    ROW = "one output row from the same input row"
    MAXIMUM = "one input row into one of the output rows whose window holds it"
    REDUCE = "one row into sums over the whole image"
    MOVE = "one output row from the input rows that the operator names"
    RESHAPE = "one input row to where its values belong"
    FUSED = "one output row from the input rows under the windows of several operators"


@dataclass(frozen=True)
class Window:
    """A sliding window in pixels; padding is explicit on all four sides.

    Attributes:
        height, width: taps down and across.
        dilation_h, dilation_w: rows and columns from one tap to the next.
    """

    height: int
    width: int
    stride_h: int
    stride_w: int
    pad_top: int
    pad_bottom: int
    pad_left: int
    pad_right: int
    dilation_h: int = 1
    dilation_w: int = 1

    @property
    def tall(self) -> int:
        """Rows from the first tap to the last one."""
        return (self.height - 1) * self.dilation_h + 1

    @property
    def wide(self) -> int:
        """Columns from the first tap to the last one."""
        return (self.width - 1) * self.dilation_w + 1

    @property
    def is_dilated(self) -> bool:
        """Whether there are rows or columns between the taps."""
        return (self.dilation_h, self.dilation_w) != (1, 1)


class _Facts(TypedDict, total=False):
    """Class attributes of `Op` that a class sets by keywords; all others are as its parent's."""

    kind: str
    access: Access
    is_valuewise: bool
    rescales: bool
    output_steps: tuple[int, int]
    holds_levels: bool
    channel_axis: int


@dataclass(frozen=True)
class Op:
    """One operator; `inputs` and `output` index `Graph.tensors` (activations only).

    Class attributes:
        kind: its name in the schema of .tflite.
        access: how the runtime walks its rows.
        is_valuewise: each output value comes from the values at the same place alone, so that the
            output may be written over an input.
        rescales: its output has a scale of its own; others pass the levels of their input on.
        output_steps: 1 / scale, and zero point, of an output for which TensorFlow Lite knows only
            these; None where the file says them.
        holds_levels: it has a constant in the levels of its input, whose scale may not change.
    """

    kind: ClassVar[str]
    access: ClassVar[Access] = Access.ROW
    is_valuewise: ClassVar[bool] = False
    rescales: ClassVar[bool] = False
    output_steps: ClassVar[tuple[int, int] | None] = None
    holds_levels: ClassVar[bool] = False
    name: str
    inputs: tuple[int, ...]
    output: int

    def __init_subclass__(cls, **facts: Unpack[_Facts]) -> None:
        for name, value in facts.items():
            setattr(cls, name, value)

    @property
    def parameters(self) -> tuple[int, ...]:
        """Tensors besides `inputs` that may be constants: weights and bias, or operands."""
        return ()


@dataclass(frozen=True)
class Windowed(Op, access=Access.WINDOW):
    """What looks at its input through a window."""

    window: Window
