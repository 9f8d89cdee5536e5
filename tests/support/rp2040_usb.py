"""A USB host for a board that rp2040py runs: it enumerates a serial line and carries its bytes.

rp2040py's own controller hands every packet on at once. This one keeps a buffer until the host
fetches or fills it, as the bus does, so that a driver that is wrong about tokens, DATA0 and DATA1,
lengths or NAK is found. Sources: RP2040 datasheet ("USB"), USB 2.0 chapters 8 and 9, CDC PSTN 1.2.
"""

import struct
from collections import deque
from collections.abc import Callable

from rp2040py.peripherals.usb import RPUSBController
from rp2040py.rp2040 import RP2040

from edgesq.link.transport import DEFAULT_BAUD
from support.usb import (
    CONFIGURATION,
    DATA1,
    DEVICE,
    PACKET_BYTES,
    SET_ADDRESS,
    SET_CONFIGURATION,
    STRING,
    TO_DEVICE,
    Answer,
    Device,
    Request,
    Script,
    broken,
    descriptor,
    line_opened,
)

_USB_PAGE = 0x5_0110
_POLL_NS = 60_000
"""A full packet with its token takes about 50 microseconds of a bus at full speed."""
_FRAME_NS = 1_000_000
_ATTACHED_NS = 10_000_000
_ENDPOINTS = 16
_IN, _OUT = 0x80, 0x84
_AVAILABLE, _STALL, _FULL, _LENGTH = 1 << 10, 1 << 11, 1 << 15, 0x3FF
_SIE_CTRL, _EP_STALL_ARM, _SOF_RD, _INTE = 0x4C, 0x68, 0x48, 0x90
_PULL_UP, _INT_SOF = 1 << 16, 1 << 17
_BUS_RESET = 1 << 19
_WITH_LINES = (2, 0xEF)
"""Classes of devices that have a serial line: communications, and several functions in one."""


class UsbHost(RPUSBController):
    """The chip's USB controller and the host at the other end of the cable.

    Args:
        chip: it takes the place of its controller.
        on_bytes: is given what comes on the serial line.

    Attributes:
        device: what was enumerated.
        is_open: whether the serial line is.
        is_cut: whether the last packet was full: an operating system waits for the end.
        refused: requests that the device refused.
    """

    def __init__(self, chip: RP2040, on_bytes: Callable[[bytes], None]) -> None:
        super().__init__(chip, "USB")
        chip.usb_ctrl = chip.peripherals[_USB_PAGE] = self
        self._on_bytes = on_bytes
        self._poll = chip.clock.create_alarm(self._on_poll)
        self._frame = chip.clock.create_alarm(self._on_frame)
        self._attach = chip.clock.create_alarm(self._on_attach)
        self._ask = chip.clock.create_alarm(self._on_ask)
        self.refused: list[Request] = []
        self._forget()

    def _forget(self) -> None:
        """Begin as with a device that was just plugged in."""
        self.device = Device()
        self.is_open = False
        self.is_cut = False
        self._armed: dict[int, int] = {}
        self._data1: dict[int, int] = {}
        self._endpoints: tuple[int, int] | None = None
        self._to_device = bytearray()
        self._scripts: deque[Script] = deque()
        self._request: Request | None = None
        self._is_powered = False
        self._is_waking = False

    def reset(self) -> None:
        """Reset the controller: the device drops off the bus."""
        super().reset()
        if hasattr(self, "refused"):
            for alarm in (self._poll, self._frame, self._attach, self._ask):
                alarm.cancel()
            self._forget()

    def replug(self) -> None:
        """Reset the bus, as when the host begins anew."""
        self._forget()
        self._is_powered = True
        self._attach.schedule(_ATTACHED_NS)

    def expect_data0(self) -> None:
        """Begin with DATA0 on the serial line, as after CLEAR_FEATURE(ENDPOINT_HALT)."""
        self._data1.clear()

    def send(self, data: bytes) -> None:
        """Send bytes along the serial line, as fast as the device takes them."""
        self._to_device += data
        self._wake()

    def run(self, script: Script) -> None:
        """Carry out requests, once those before are done."""
        self._scripts.append(script)
        if self._request is None:
            self._next_request(None)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to be done or sent."""
        return self._request is None and not self._scripts and not self._to_device

    # What the chip does.

    def dpram_updated(self, offset: int, value: int) -> None:
        """Note a buffer that the driver hands to the controller."""
        if _IN <= offset < _IN + 8 * _ENDPOINTS and value & _AVAILABLE:
            self._armed[offset] = value
            self._wake()

    def write_uint32(self, offset: int, value: int) -> None:
        """Write a register."""
        super().write_uint32(offset, value)
        if offset == _SIE_CTRL and value & _PULL_UP and not self._is_powered:
            self._is_powered = True
            self._attach.schedule(_ATTACHED_NS)
        if offset == _EP_STALL_ARM:
            self._wake()
        if offset == _INTE and value & _INT_SOF:
            self._frame.schedule(_FRAME_NS)

    def read_uint32(self, offset: int) -> int:
        """Read a register."""
        if offset == _SOF_RD:
            self._int_raw &= ~_INT_SOF
            self.check_interrupts()
        return super().read_uint32(offset)

    # What the host does.

    def _wake(self) -> None:
        if not self._is_waking:
            self._is_waking = True
            self._poll.schedule(_POLL_NS)

    def _on_attach(self) -> None:
        self._sie_status |= _BUS_RESET
        self._sie_status_updated()
        self.run(self._enumerate())

    def _on_frame(self) -> None:
        self._sof_frame_number = (self._sof_frame_number + 1) & 0x7FF
        self._int_raw |= _INT_SOF
        self.check_interrupts()
        if self._int_enable & _INT_SOF:
            self._frame.schedule(_FRAME_NS)

    def _enumerate(self) -> Script:
        short = yield descriptor(DEVICE, 8)
        if short is None or len(short) != 8 or short[7] != PACKET_BYTES:
            raise broken("its device descriptor")
        yield Request(TO_DEVICE, SET_ADDRESS, 9)
        device = yield descriptor(DEVICE, 18)
        head = yield descriptor(CONFIGURATION, 9)
        if device is None or head is None or len(device) != 18:
            raise broken("it does not say what it is")
        (total,) = struct.unpack_from("<H", head, 2)
        whole = yield descriptor(CONFIGURATION, total)
        vendor, product = struct.unpack_from("<HH", device, 8)
        strings = []
        for index in device[14:17]:
            text = (yield descriptor(STRING, 255, index)) if index else None
            strings.append("" if text is None else text[2:].decode("utf-16-le"))
        self.device = Device(
            f"{vendor:04x}:{product:04x}", (strings[0], strings[1], strings[2]), whole or b""
        )
        if len(self.device.configuration) != total:
            raise broken("its configuration descriptor is cut")
        yield Request(TO_DEVICE, SET_CONFIGURATION, 1)
        if vendor and device[4] in _WITH_LINES:
            self._endpoints = self.device.bulk()
            yield from line_opened(DEFAULT_BAUD)
            self.is_open = True
            self._wake()

    def _next_request(self, answer: Answer) -> None:
        self._request = None
        while self._scripts and self._request is None:
            script = self._scripts[0]
            try:
                self._request = script.send(answer)
            except StopIteration:
                self._scripts.popleft()
            answer = None
        if self._request is not None:
            self._armed.pop(_IN, None)
            self._armed.pop(_OUT, None)
            self._ask.schedule(_POLL_NS)

    def _on_ask(self) -> None:
        if self._request is not None:
            self._ep_stall_arm = 0
            self._request.is_asked = True
            self.send_setup_packet(self._request.setup)

    def _on_poll(self) -> None:
        self._is_waking = False
        self._control()
        if self.is_open and self._endpoints is not None:
            to_host, to_device = self._endpoints
            packet = self._fetch(_IN + 8 * to_host, self._data1.get(_IN, 0))
            if packet is not None:
                self._data1[_IN] = self._data1.get(_IN, 0) ^ DATA1
                self.is_cut = len(packet) == PACKET_BYTES
                if packet:
                    self._on_bytes(packet)
            chunk = bytes(self._to_device[:PACKET_BYTES])
            if chunk and self._fill(_OUT + 8 * to_device, self._data1.get(_OUT, 0), chunk):
                self._data1[_OUT] = self._data1.get(_OUT, 0) ^ DATA1
                del self._to_device[:PACKET_BYTES]
        if self._armed and (self._to_device or self._request):
            self._wake()

    def _control(self) -> None:
        """Go on with a control transfer by one packet."""
        request = self._request
        if request is None or not request.is_asked:
            return
        if self._is_stalled(_IN if request.wants_in else _OUT):
            self._done(None)
        elif request.is_in_status:
            self._status(request)
        elif request.is_to_host:
            packet = self._fetch(_IN, request.data1)
            if packet is not None:
                request.answer += packet
                request.data1 ^= DATA1
                is_last = len(packet) < PACKET_BYTES or len(request.answer) == request.n_bytes
                request.is_in_status = is_last
                self._wake()
            if len(request.answer) > request.n_bytes:
                raise broken("it sends more than it was asked for")
        elif not request.data or self._fill(_OUT, request.data1, request.data):
            request.is_in_status = True
            self._wake()

    def _is_stalled(self, buffer: int) -> bool:
        """Say whether endpoint 0 refuses; it must be armed to do so, too."""
        (value,) = struct.unpack_from("<I", self.rp2040.usb_dpram, buffer)
        return bool(value & _STALL and self._ep_stall_arm & (1 if buffer == _IN else 2))

    def _status(self, request: Request) -> None:
        """End a transfer by a packet without bytes, the other way round; it is DATA1."""
        if request.is_to_host:
            if self._fill(_OUT, DATA1, b""):
                self._done(bytes(request.answer))
            return
        packet = self._fetch(_IN, DATA1)
        if packet is not None:
            if packet:
                raise broken("the end of a request has bytes")
            self._done(b"")

    def _done(self, answer: Answer) -> None:
        assert self._request is not None
        if answer is None:
            self.refused.append(self._request)
        if self._request.request == SET_CONFIGURATION:  # all endpoints begin with DATA0
            self._data1.clear()
        self._next_request(answer)

    def _fetch(self, buffer: int, data1: int) -> bytes | None:
        """Return what an IN endpoint sends; None for NAK."""
        value = self._armed.pop(buffer, None)
        if value is None:
            return None
        length = value & _LENGTH
        if not value & _FULL or length > PACKET_BYTES:
            raise broken(f"a buffer of {length} bytes is sent that is not full")
        self._check_toggle(value, data1)
        endpoint = (buffer - _IN) // 8
        at = self._get_endpoint_buffer_offset(endpoint, out=False)
        packet = bytes(self.rp2040.usb_dpram[at : at + length])
        self._give_back(buffer, value & ~(_AVAILABLE | _FULL))
        return packet

    def _fill(self, buffer: int, data1: int, packet: bytes) -> bool:
        """Send a packet to an OUT endpoint; return whether it was taken, False for NAK."""
        value = self._armed.pop(buffer, None)
        if value is None:
            return False
        if value & _FULL or value & _LENGTH < len(packet):
            raise broken("a buffer to be filled is full, or too short")
        self._check_toggle(value, data1)
        at = self._get_endpoint_buffer_offset((buffer - _OUT) // 8, out=True)
        self.rp2040.usb_dpram[at : at + len(packet)] = packet
        self._give_back(buffer, value & ~(_AVAILABLE | _LENGTH) | _FULL | len(packet))
        return True

    def _check_toggle(self, value: int, data1: int) -> None:
        if value & DATA1 != data1:
            raise broken(f"DATA{int(not data1)} where DATA{int(bool(data1))} is due")

    def _give_back(self, buffer: int, value: int) -> None:
        self.rp2040.usb_dpram[buffer : buffer + 4] = struct.pack("<I", value)
        self._indicate_buffer_ready((buffer - _IN) // 8, bool(buffer & 4))
