"""Trace the operators of a board: ticks, CRC-32 of inputs and outputs, and holds to read rows.

Mirror: firmware/app/trace.c; the bytes are in firmware/SPEC.md.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edgesq.link import frame
from edgesq.link.client import Client, Inference
from edgesq.link.frame import AckStatus, Frame, FrameType
from edgesq.link.info import BoardInfo
from edgesq.link.session import Session, SessionLostError
from edgesq.link.transport import PortGoneError

NO_OP = 0xFFFF
OUTPUT = 0
"""`which` of an operator's output; 1 is its first input."""

_FLAG_CRC = 1
_TRACE = struct.Struct("<BH")
_OPS_GET = struct.Struct("<IH")
_OPS_HEAD = struct.Struct("<IHHB")
_OP = struct.Struct("<IQ")
_ROW_GET = struct.Struct("<IBHIB")
_ROW_HEAD = struct.Struct("<IIHBHHHHII")
_MAX_ROW_BYTES = 1 << 20
_MAX_SESSIONS = 5

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class OperatorTrace:
    """One operator of the board's table in one image.

    Attributes:
        crc: CRC-32 of its output, int8 [H, W, C]; 0 where none was asked for.
        ticks: of the board's counter, spent in its steps.
    """

    crc: int
    ticks: int


@dataclass(frozen=True)
class Ops:
    """A piece of the board's table: `operators` from number `first` on, of `count`."""

    image: int
    first: int
    count: int
    has_crc: bool
    operators: tuple[OperatorTrace, ...]


@dataclass(frozen=True)
class Row:
    """A piece of a row of the operator held.

    Attributes:
        image: in which it is held.
        hold: number of the hold, from 1 on.
        op: the operator.
        which: OUTPUT, or the number of an input and 1.
        row: of the tensor.
        in_row: next input row, of an operator that accumulates.
        out_row: next output row, or the one that accumulates.
        complete: output rows that are complete.
        offset: of `values` in the row.
        row_bytes: of the whole row, width x channels.
        values: int8 as bytes.
    """

    image: int
    hold: int
    op: int
    which: int
    row: int
    in_row: int
    out_row: int
    complete: int
    offset: int
    row_bytes: int
    values: bytes


def unpack_ops(payload: bytes) -> Ops | None:
    """Return what OPS says, None where the payload is not one."""
    values = payload[_OPS_HEAD.size :]
    if len(payload) <= _OPS_HEAD.size or len(values) % _OP.size:
        return None
    image, first, count, flags = _OPS_HEAD.unpack_from(payload)
    operators = tuple(OperatorTrace(*fields) for fields in _OP.iter_unpack(values))
    if flags & ~_FLAG_CRC or first + len(operators) > count:
        return None
    return Ops(image, first, count, bool(flags & _FLAG_CRC), operators)


def unpack_row(payload: bytes) -> Row | None:
    """Return what ROW says, None where the payload is not one."""
    if len(payload) < _ROW_HEAD.size:
        return None
    row = Row(*(*_ROW_HEAD.unpack_from(payload), payload[_ROW_HEAD.size :]))
    if row.row_bytes > _MAX_ROW_BYTES or row.offset + len(row.values) > row.row_bytes:
        return None
    return row


class Tracer:
    """Traces images on the board of `client`, one at a time."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def infer(
        self, image: bytes, *, with_crc: bool = False
    ) -> tuple[Inference, tuple[OperatorTrace, ...]]:
        """Have the board compute one image; return also what each operator of its table did.

        Nothing is sent ahead, so that no byte interrupts an operator.

        Args:
            image: int8 [H, W, C] as bytes.
            with_crc: have it take the CRC-32 of every operator's output. Ticks do not count that.

        Raises:
            BoardError: silent, gone, refuses, or the line is too bad.
            ValueError: the image has another size.
        """

        def once() -> tuple[Inference, tuple[OperatorTrace, ...]] | None:
            session, info = self._client.session()
            _ask_for(session, with_crc, NO_OP)
            inference = self._client.infer(image, ahead=False)
            if self._client.session()[0] is not session:
                return None  # a reset in between: the board traced nothing
            return inference, _operators(session, info, self._client.image, with_crc)

        return self._until_done(once)

    def held(self, image: bytes, op: int, work: Callable[["HeldImage"], Answer]) -> Answer:
        """Do `work` in an image in which the board stops after every step of operator `op`.

        Args:
            image: int8 [H, W, C] as bytes.
            op: index into the board's table.
            work: is done from the beginning again where the board is reset in it, or its port goes.

        Raises:
            BoardError: silent, gone, refuses, or the line is too bad.
            ValueError: the image has another size.
        """
        return self._until_done(lambda: work(self.hold(image, op)))

    def hold(self, image: bytes, op: int) -> "HeldImage":
        """Begin an image in which the board stops after every step of operator `op`.

        Raises:
            BoardError: silent, gone, or has no such operator.
            ValueError: the image has another size.
        """
        session, info = self._client.session()
        if len(image) != info.input_bytes:
            raise ValueError(f"image of {len(image)} bytes, the board takes {info.input_bytes}")
        _ask_for(session, False, op)
        return HeldImage(session, info, self._client.next_image(), image)

    def _until_done(self, work: Callable[[], Answer | None]) -> Answer:
        """Do `work` until it returns something, in as many sessions as that takes."""
        for _ in range(_MAX_SESSIONS):
            try:
                answer = work()
            except (SessionLostError, PortGoneError) as error:
                self._client.recover(error)
                continue
            if answer is not None:
                return answer
        raise self._client.session()[0].error(
            f"the session broke {_MAX_SESSIONS} times in one image",
            "does the board reset by itself? check its supply and watchdog",
        )


class HeldImage:
    """An image that the board computes up to a hold at a time.

    Attributes:
        hold: number of the current hold, from 1 on; 0 before the first.
    """

    def __init__(self, session: Session, info: BoardInfo, number: int, image: bytes) -> None:
        self.hold = 0
        self._session = session
        self._room = frame.data_room(info.max_payload)
        self._number = number
        self._image = image
        self._offset = 0

    def go_on(self) -> bool:
        """Let the board compute up to the next hold; return False where it finished the image.

        Raises:
            BoardError: silent, gone, refuses, or the line is too bad.
        """
        if self.hold:
            payload = _ROW_GET.pack(self._number, 0, 0, self.hold, 1)
            ack = _ask(self._session, FrameType.ROW_GET, payload, self._read_ack)
        else:
            ack = self._send_piece()
        while ack.status == AckStatus.GO:
            ack = self._send_piece()
        self.hold += ack.status == AckStatus.HELD
        return ack.status == AckStatus.HELD

    def row(self, which: int, row: int) -> tuple[NDArray[np.int8], Row]:
        """Return a row's values, int8 [width * channels], and its last piece.

        Args:
            which: OUTPUT, or the number of an input and 1.
            row: of that tensor. The values are what its ring holds in the row's place now.

        Raises:
            BoardError: there is no such row, or the link failed.
        """
        values, last = b"", None
        while last is None or len(values) < last.row_bytes:
            payload = _ROW_GET.pack(self._number, which, row, len(values), 0)
            wanted = (self._number, self.hold, which, row, len(values))
            last = _ask(
                self._session,
                FrameType.ROW_GET,
                payload,
                lambda answer, wanted=wanted: _read_row(answer, wanted),  # type: ignore[misc]
            )
            values += last.values
        return np.frombuffer(values, np.int8), last

    def _send_piece(self) -> frame.Ack:
        values = self._image[self._offset : self._offset + self._room]
        payload = frame.pack_data(self._number, self._offset, values)
        ack = _ask(self._session, FrameType.DATA, payload, self._read_ack)
        if ack.status == AckStatus.GO and not self._offset < ack.next_offset < len(self._image):
            raise self._session.error(
                f"the board wants byte {ack.next_offset} after byte {self._offset}",
                "`edgesq flash` it again",
            )
        self._offset = min(ack.next_offset, len(self._image))
        return ack

    def _read_ack(self, answer: Frame) -> frame.Ack | None:
        ack = frame.unpack_ack(answer.payload) if answer.type == FrameType.ACK else None
        taken = (AckStatus.GO, AckStatus.HELD, AckStatus.DONE)
        return ack if ack and ack.image == self._number and ack.status in taken else None


def _read_row(answer: Frame, wanted: tuple[int, ...]) -> Row | None:
    row = unpack_row(answer.payload) if answer.type == FrameType.ROW else None
    if row is None or not (row.values or row.row_bytes == row.offset):
        return None
    return row if (row.image, row.hold, row.which, row.row, row.offset) == wanted else None


def _ask_for(session: Session, with_crc: bool, hold_op: int) -> None:
    """Say what to trace in the next image."""
    good = (AckStatus.GO, AckStatus.DONE, AckStatus.HELD)

    def read(answer: Frame) -> bool | None:
        ack = frame.unpack_ack(answer.payload) if answer.type == FrameType.ACK else None
        return True if ack and ack.status in good else None

    flags = _FLAG_CRC if with_crc else 0
    _ask(session, FrameType.TRACE, _TRACE.pack(flags, hold_op), read)


def _operators(
    session: Session, info: BoardInfo, number: int, with_crc: bool
) -> tuple[OperatorTrace, ...]:
    """Return what every operator did in image `number`, which is done."""
    operators: tuple[OperatorTrace, ...] = ()
    while len(operators) < info.op_count:
        wanted = (number, len(operators), info.op_count, with_crc)

        def read(answer: Frame, wanted: tuple[int, ...] = wanted) -> Ops | None:
            ops = unpack_ops(answer.payload) if answer.type == FrameType.OPS else None
            is_it = ops and (ops.image, ops.first, ops.count, ops.has_crc) == wanted
            return ops if is_it else None

        payload = _OPS_GET.pack(number, len(operators))
        operators += _ask(session, FrameType.OPS_GET, payload, read).operators
    return operators


def _ask(
    session: Session, type_: FrameType, payload: bytes, read: Callable[[Frame], Answer | None]
) -> Answer:
    """Send a request until an answer comes that `read` takes."""
    after_silence = False
    while True:
        asked = session.send(type_, payload, after_silence=after_silence)
        answer = session.receive()
        while answer is not None and (answer.seq != asked or answer.type == FrameType.BUSY):
            answer = session.receive()
        after_silence = answer is None
        if answer is None:
            session.repeat()
            continue
        found = read(answer)
        if found is not None:
            session.progress()
            return found
        ack = frame.unpack_ack(answer.payload) if answer.type == FrameType.ACK else None
        if ack is not None and ack.status == AckStatus.REFUSED:
            raise session.error(
                f"the board refuses {type_.name}", "`edgesq flash` this build: it may be older"
            )
        session.repeat()
