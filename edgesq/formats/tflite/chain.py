"""Read a chain of RESHAPE, TRANSPOSE and TILE as the one operator that it amounts to.

Converters write UpSampling2D, pixel shuffles and the like as several such operators with tensors of
five or six axes in between, which the runtime has not. So the values are numbered, the chain is
carried out on the numbers, and what comes out is one operator that moves values.
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.formats.tflite.readable import (
    Fits,
    Ranges,
    Readable,
    Readables,
    Shape,
    Steps,
    constants,
)
from edgesq.formats.tflite.reader import Reader
from edgesq.operators import DepthToSpace, Gather, Op, Pick, Reshape, SpaceToDepth, Tile, Transpose

Operators = Sequence[tuple[str, Any]]
Numbers = NDArray[np.int32]

_KEEPING = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")
_MOVING = ("TRANSPOSE", "TILE")
_MAX_VALUES = 1 << 24


class Chain(Steps):
    """Operators, each of which reads the one before it."""


def joined(reader: Reader, operators: Operators, results: Sequence[int]) -> list[tuple[str, Any]]:
    """Return the operators; each chain through tensors of other ranks is one "TILE" in them.

    It stands where its last one stood.

    Args:
        reader: the file.
        operators: name and operator, in order.
        results: the file's numbers of the model's outputs.
    """
    uses = Counter(index for _, one in operators for index in one.inputs)
    uses.update(results)
    places = {id(one): place for place, (_, one) in enumerate(operators)}
    following = {one.inputs[0]: (kind, one) for kind, one in operators if _is_link(kind, one)}
    taken: set[int] = set()
    chains: dict[int, Chain] = {}
    for kind, one in operators:
        steps = [(kind, one)] if id(one) not in taken and _begins(reader, kind, one) else []
        while steps and not _is_plain(reader, step := steps[-1][1].outputs[0]):
            goes_on = (
                uses[step] == 1
                and step in following
                and places[id(following[step][1])] > places[id(steps[-1][1])]
            )
            steps = [*steps, following[step]] if goes_on else []
        if steps:
            taken |= {id(step) for _, step in steps}
            chains[id(steps[-1][1])] = _chain(steps)
    return [
        ("TILE", chains[id(one)]) if id(one) in chains else (kind, one)
        for kind, one in operators
        if id(one) in chains or id(one) not in taken
    ]


def _is_link(kind: str, operator: Any) -> bool:
    parts = bool(operator.inputs) and len(operator.outputs) == 1
    return kind in (*_KEEPING, *_MOVING) and parts


def _begins(reader: Reader, kind: str, operator: Any) -> bool:
    """Say whether a chain begins here: at a TILE, or on the way to another rank."""
    away = _is_link(kind, operator) and not _is_plain(reader, operator.outputs[0])
    return away or (kind == "TILE" and _is_link(kind, operator))


def _is_plain(reader: Reader, index: int) -> bool:
    shape = reader.source.tensors[index].shape
    return len(shape) in (2, 4) and shape[0] == 1


def _chain(steps: list[tuple[str, Any]]) -> Chain:
    return Chain([steps[0][1].inputs[0]], [steps[-1][1].outputs[0]], tuple(steps))


def read_chain(reader: Reader, operator: Any) -> Op:
    """Read a chain, or a TILE by itself, as one operator that moves values.

    Raises:
        ModelError: it is damaged, or moves values in another way than the runtime can.
    """
    name, output = reader.parts(operator)
    source = reader.tensor(operator.inputs[0])
    reader.same_quantization(name, (source, output))
    before, after = reader.tensors[source], reader.tensors[output]
    values = math.prod(before.shape)
    if values > _MAX_VALUES:
        raise reader.error(f"{name}: {values} values are too many to be moved")
    numbers = np.arange(values, dtype=np.int32).reshape(before.shape)
    for kind, step in operator.steps:
        if reader.type(step.outputs[0]) != reader.type(operator.inputs[0]):
            raise reader.error(f"{name}: {reader.name(step.outputs[0])} is not int8")
        numbers = _step(reader, kind, step, numbers)
    found = _as_op(name, source, output, before.hwc, numbers.reshape(after.hwc))
    if found is None:
        kinds = ", ".join(kind for kind, _ in operator.steps)
        raise reader.error(
            f"{name}: {kinds} move values in a way that the runtime does not know",
            "it knows TRANSPOSE of a map, repeated rows and columns, channels in any order, "
            "SPACE_TO_DEPTH and DEPTH_TO_SPACE",
        )
    return found


def _step(reader: Reader, kind: str, operator: Any, numbers: Numbers) -> Numbers:
    """Carry out one operator on numbers."""
    name = reader.name(operator.outputs[0])
    shape = tuple(reader.source.tensors[operator.outputs[0]].shape)
    values = math.prod(shape)
    if kind in _KEEPING:
        if values != numbers.size:
            raise reader.error(f"{name}: {kind} changes the number of values")
        return numbers.reshape(shape)
    constants = (
        reader.data(operator.inputs[1]) if min(operator.inputs[1:2], default=-1) >= 0 else None
    )
    if constants is None or constants.size != numbers.ndim:
        raise reader.error(f"{name}: {kind} needs {numbers.ndim} constants")
    if kind == "TRANSPOSE" and sorted(constants.flat) == list(range(numbers.ndim)):
        moved = numbers.transpose([int(axis) for axis in constants.flat])
    else:
        many = [int(count) for count in constants.flat]
        if min(many) < 1 or math.prod(many) * numbers.size != values or values > _MAX_VALUES:
            raise reader.error(f"{name}: {kind} by {many} does not make {values} values")
        moved = np.tile(numbers, many)
    if moved.shape != shape:
        raise reader.error(f"{name}: {kind} does not make {shape}")
    return moved


def _as_op(
    name: str, source: int, output: int, image: tuple[int, int, int], numbers: Numbers
) -> Op | None:
    """Return the operator that puts the image's numbered values in this order, [H, W, C]."""
    height, width, channels = image
    every = np.arange(height * width * channels, dtype=np.int32)
    if np.array_equal(numbers.reshape(-1), every):
        return Reshape(name, (source,), output)
    shaped = every.reshape(image)
    for rows, across, deep in permutations(range(3)):
        if np.array_equal(shaped.transpose(rows, across, deep), numbers):
            return Transpose(name, (source,), output, (rows, across, deep), height)
    picked = _as_pick(name, source, output, image, numbers)
    if picked:
        return picked
    return _as_squares(name, source, output, image, numbers)


def _as_squares(
    name: str, source: int, output: int, image: tuple[int, int, int], numbers: Numbers
) -> Op | None:
    height, width, channels = image
    every = np.arange(numbers.size, dtype=np.int32)
    small, large = sorted((height, numbers.shape[0]))
    block = large // small
    if numbers.shape == (height * block, width * block, channels / block**2):
        squares = every.reshape(height, width, block, block, numbers.shape[2])
        moved = squares.transpose(0, 2, 1, 3, 4).reshape(numbers.shape)
        return DepthToSpace(name, (source,), output, block) if (moved == numbers).all() else None
    if numbers.shape == (height / block, width / block, channels * block**2):
        squares = every.reshape(small, block, width // block, block, channels)
        moved = squares.transpose(0, 2, 1, 3, 4).reshape(numbers.shape)
        return SpaceToDepth(name, (source,), output, block) if (moved == numbers).all() else None
    return None


def _as_pick(
    name: str, source: int, output: int, image: tuple[int, int, int], numbers: Numbers
) -> Pick | None:
    _, width, channels = image
    rows = numbers[:, 0, 0] // (width * channels)
    columns = numbers[0, :, 0] // channels % width
    depths = numbers[0, 0, :] % channels
    again = (rows[:, None, None] * width + columns[:, None]) * channels + depths
    if not np.array_equal(again, numbers):
        return None
    down, across, deep = (tuple(map(int, places)) for places in (rows, columns, depths))
    cls = Tile if np.array_equal(depths, np.arange(channels)) else Gather
    return cls(name, (source,), output, down, across, deep, 0)


def _tile_shape(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    many = constants(reader, operator.inputs[1])
    return tuple(extent * times for extent, times in zip(shape, many, strict=True))


READABLES: Readables = {"TILE": Readable(read_chain, _tile_shape, newest=2)}
FITS: Fits = {}
RANGES: Ranges = {}
