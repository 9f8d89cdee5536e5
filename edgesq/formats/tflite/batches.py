"""Read a dilated convolution that is written as a plain one between batches of images.

Older converters put every second, third, ... row and column into an image of its own
(SPACE_TO_BATCH_ND), convolve these, and put the results together again (BATCH_TO_SPACE_ND).
"""

import copy
from collections import Counter
from collections.abc import Sequence
from typing import Any

from edgesq.formats.tflite.conv import read_conv2d, read_depthwise_conv2d
from edgesq.formats.tflite.readable import (
    Advice,
    Fits,
    Ranges,
    Readable,
    Readables,
    Shape,
    Steps,
    constants,
    four,
)
from edgesq.formats.tflite.reader import VALID_PADDING, Reader, dilations_of
from edgesq.operators import Op

Operators = Sequence[tuple[str, Any]]

_READERS = {"CONV_2D": read_conv2d, "DEPTHWISE_CONV_2D": read_depthwise_conv2d}
_APART, _TOGETHER = "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"


class Batches(Steps):
    """Three operators that are one dilated convolution."""


def undilated(reader: Reader, operators: Operators) -> list[tuple[str, Any]]:
    """Return the operators; a convolution between batches is one, where its last one stood."""
    uses = Counter(index for _, one in operators for index in one.inputs)
    uses.update(int(index) for index in reader.source.outputs)
    following = {one.inputs[0]: (kind, one) for kind, one in operators if len(one.inputs)}
    found: dict[int, Batches] = {}
    for kind, one in operators:
        steps = [(kind, one)] if kind == _APART else []
        while steps and len(steps) < 3:
            last = steps[-1][1].outputs
            following_one = following.get(last[0]) if len(last) == 1 else None
            if following_one is None or uses[last[0]] != 1:
                break
            steps.append(following_one)
        kinds = [kind for kind, _ in steps]
        if len(kinds) == 3 and kinds[1] in _READERS and kinds[2] == _TOGETHER:
            found[id(steps[-1][1])] = Batches(
                list(one.inputs), list(steps[-1][1].outputs), tuple(steps)
            )
    taken = {id(step) for batches in found.values() for _, step in batches.steps}
    return [
        (_APART, found[id(one)]) if id(one) in found else (kind, one)
        for kind, one in operators
        if id(one) in found or id(one) not in taken
    ]


def read_batches(reader: Reader, operator: Any) -> Op:
    """Read a convolution between batches as a dilated one.

    Raises:
        ModelError: it stands alone, or is no dilated convolution.
    """
    if not isinstance(operator, Batches):
        name = reader.name(operator.outputs[0])
        raise reader.error(f"{name}: {reader.kind(operator)} without a convolution behind it", _DO)
    (_, apart), (kind, conv), (_, together) = operator.steps
    options = copy.copy(conv.builtinOptions)
    plain = (options.padding, options.strideH, options.strideW, *dilations_of(options))
    blocks, others = (constants(reader, one.inputs[1]) for one in (apart, together))
    if plain != (VALID_PADDING, 1, 1, 1, 1) or blocks != others or len(blocks) != 2:
        raise reader.error(f"{reader.name(operator.outputs[0])}: is no dilated convolution", _DO)
    pads, crops = (constants(reader, one.inputs[2]) for one in (apart, together))
    options.dilationHFactor, options.dilationWFactor = blocks
    options.givenPads = pads[0] - crops[0], pads[2] - crops[2]
    made = copy.copy(conv)
    made.builtinOptions = options
    made.inputs, made.outputs = [apart.inputs[0], *conv.inputs[1:]], together.outputs
    return _READERS[kind](reader, made)


_DO = "use the dilation of the convolution itself"


def _apart_shape(reader: Reader, operator: Any) -> Shape:
    batch, height, width, channels = four(reader.shape(operator.inputs[0]))
    (tall, wide), pads = (constants(reader, index) for index in operator.inputs[1:])
    rows, columns = height + pads[0] + pads[1], width + pads[2] + pads[3]
    if min(pads) < 0 or rows % tall or columns % wide:
        raise ValueError(f"{rows} x {columns} in blocks of {tall} x {wide}")
    return batch * tall * wide, rows // tall, columns // wide, channels


def _together_shape(reader: Reader, operator: Any) -> Shape:
    batch, height, width, channels = four(reader.shape(operator.inputs[0]))
    (tall, wide), crops = (constants(reader, index) for index in operator.inputs[1:])
    if min(crops) < 0 or batch % (tall * wide):
        raise ValueError(f"{batch} images in blocks of {tall} x {wide}")
    rows, columns = height * tall - crops[0] - crops[1], width * wide - crops[2] - crops[3]
    return batch // (tall * wide), rows, columns, channels


READABLES: Readables = {
    _APART: Readable(read_batches, _apart_shape, (3,)),
    _TOGETHER: Readable(read_batches, _together_shape, (3,)),
}
FITS: Fits = {}
RANGES: Ranges = {}
ADVICE: Advice = {}
