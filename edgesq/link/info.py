"""What a board reports about itself: INFO of firmware/SPEC.md."""

import math
import struct
from dataclasses import dataclass, replace
from enum import IntEnum

from edgesq.limits import MAX_INPUTS
from edgesq.link.frame import MAX_PAYLOAD, MIN_PAYLOAD

_MAX_OBSERVED_BYTES = 1 << 20
_OPERATOR = struct.Struct("<H")
_SHAPE = struct.Struct("<HHH")
_INFO_HEAD = struct.Struct("<BBHI32sHHHIIIHBB")


class Optimisation(IntEnum):
    """What the board's compiler optimised for.

    Mirror: firmware/app/info.h (enum esq_optimisation).
    """

    NOT_OPTIMISED = 0
    OPTIMISED_SIZE = 1
    OPTIMISED_SPEED = 2


class CoreKind(IntEnum):
    """Which register says more of a board's core.

    Mirror: firmware/app/info.h (enum esq_core).
    """

    CORTEX_M = 0
    RISCV = 1


@dataclass(frozen=True)
class BoardInfo:
    """What a board reports about itself (INFO).

    Attributes:
        protocol: version it speaks.
        layout: version of its generated data.
        max_payload: bytes in a payload, either way.
        rx_window: wire bytes that may be sent and not answered.
        model_sha256: hex digest of the .tflite it runs.
        input_shape: H, W, C of the image.
        tick_hz: rate of the ticks it counts.
        clock_hz: core clock; 0 where its build does not say.
        cpuid: CPUID register of a Cortex-M, misa of a RISC-V core; 0 elsewhere.
        op_count: operators in its table, which counts what export made of the model's.
        optimisation: what its compiler optimised for, as the compiler says.
        observed_bytes: size of each observed tensor, output first.
        kernels: kernel family.
        board: name of the target it was built for; empty where its build does not say.
        build: compiler, version, and flags where its build says them.
        damaged: whether the weights in its flash are not what export wrote.
        damaged_op: the first operator of its table with such weights, where it says so.
        takes_coded: whether it takes images whose rows are coded.
        keeps_state: whether its model keeps state from image to image.
        core: what `cpuid` is, a CoreKind; other numbers are of cores that we do not know.
        inputs: H, W, C of each input, in the order of sending; none where the board does not say.
    """

    protocol: int
    layout: int
    max_payload: int
    rx_window: int
    model_sha256: str
    input_shape: tuple[int, int, int]
    tick_hz: int
    clock_hz: int
    cpuid: int
    op_count: int
    optimisation: Optimisation
    observed_bytes: tuple[int, ...]
    kernels: str
    board: str
    build: str
    damaged: bool = False
    damaged_op: int | None = None
    takes_coded: bool = False
    keeps_state: bool = False
    core: int = CoreKind.CORTEX_M
    inputs: tuple[tuple[int, int, int], ...] = ()

    @property
    def input_bytes(self) -> int:
        """Bytes of one image: of all inputs together."""
        return sum(math.prod(shape) for shape in self.inputs or (self.input_shape,))


_DAMAGED = 0x80
"""Bit of INFO's optimization level. Mirror: ESQ_INFO_DAMAGED in firmware/app/info.c."""
_TAKES_CODED, _KEEPS_STATE = 0x01, 0x02
"""Bits of INFO. Mirror: ESQ_INFO_TAKES_CODED, and the next one."""


def protocol_of(payload: bytes) -> int | None:
    """Return the protocol version in an INFO payload, the only field that never moves."""
    return payload[0] if payload else None


def unpack_info(payload: bytes) -> BoardInfo | None:
    """Return what INFO says, None where the payload is not one."""
    if len(payload) < _INFO_HEAD.size:
        return None
    protocol, layout, max_payload, rx_window, sha256, h, w, c, *numbers, optimisation, n = (
        _INFO_HEAD.unpack_from(payload)
    )
    tick_hz, clock_hz, cpuid, op_count = numbers
    damaged, optimisation = bool(optimisation & _DAMAGED), optimisation & ~_DAMAGED
    at = _INFO_HEAD.size
    if len(payload) < at + 4 * n:
        return None
    observed = struct.unpack_from(f"<{n}I", payload, at)
    texts, rest = _unpack_texts(payload[at + 4 * n :])
    is_sane = MIN_PAYLOAD <= max_payload <= MAX_PAYLOAD and h * w * c * n != 0
    is_sane = is_sane and optimisation in Optimisation.__members__.values()
    if texts is None or not is_sane or sum(observed) > _MAX_OBSERVED_BYTES:
        return None
    info = BoardInfo(
        protocol,
        layout,
        max_payload,
        rx_window,
        sha256.hex(),
        (h, w, c),
        tick_hz,
        clock_hz,
        cpuid,
        op_count,
        Optimisation(optimisation),
        observed,
        *texts,
        damaged,
    )
    return _with_end(info, rest)


def _with_end(info: BoardInfo, data: bytes) -> BoardInfo:
    """Return INFO with its last fields, which a board may not send."""
    if info.damaged and len(data) >= _OPERATOR.size:
        info = replace(info, damaged_op=_OPERATOR.unpack_from(data)[0])
        data = data[_OPERATOR.size :]
    says, core = (*data[:2], *bytes(2))[:2]
    coded, state = bool(says & _TAKES_CODED), bool(says & _KEEPS_STATE)
    inputs = _unpack_inputs(data[2:])
    return replace(info, takes_coded=coded, keeps_state=state, core=core, inputs=inputs)


def _unpack_inputs(data: bytes) -> tuple[tuple[int, int, int], ...]:
    """Return the shapes of the inputs; none where the board does not say."""
    count = data[0] if data else 0
    if count > MAX_INPUTS or len(data) < 1 + _SHAPE.size * count:
        return ()
    shapes = (_SHAPE.unpack_from(data, 1 + _SHAPE.size * number) for number in range(count))
    return tuple((height, width, channels) for height, width, channels in shapes)


def _unpack_texts(data: bytes) -> tuple[tuple[str, str, str] | None, bytes]:
    """Return INFO's texts, and what is behind them."""
    texts = []
    for _ in range(3):
        if not data or len(data) < 1 + data[0]:
            return None, data
        text = data[1 : 1 + data[0]].decode("utf-8", "replace")
        texts.append("".join(one if one.isprintable() else "\ufffd" for one in text))
        data = data[1 + data[0] :]
    return (texts[0], texts[1], texts[2]), data
