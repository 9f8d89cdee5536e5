"""What programs that flash boards say when they fail, and what we make of it."""

from typing import NamedTuple


class Case(NamedTuple):
    """One failure.

    Attributes:
        runner: by which the board is flashed.
        program: which fails.
        when: part of the argument of the call that fails; "" is any.
        says: its words.
        code: its exit code.
        exit_code: ours.
        complaint: regular expression for our words.
    """

    runner: str
    program: str
    when: str
    says: str
    code: int
    exit_code: int
    complaint: str


_OPENOCD = [
    ("Error: open failed", 1, 3, "no debug probe found"),
    ("Error: unable to find a matching CMSIS-DAP device", 1, 3, "no debug probe found"),
    ("Error: No J-Link device found", 1, 3, "no debug probe found"),
    ("Error: libusb_open() failed with LIBUSB_ERROR_ACCESS", 1, 3, "no permission"),
    ("Error: init mode failed (unable to connect to the target)", 1, 3, "does not reach the chip"),
    ("Error: couldn't bind gdb to socket on port 3333: Address already in use", 1, 2, "runs"),
    ("Error: Can't find target/rp2350.cfg", 1, 2, "does not know the chip"),
    ("Error: checksum mismatch - attempting binary compare", 1, 3, "differs from the image"),
    ("Error: stm32x device protected", 1, 3, "cannot be written"),
    ("Info : done", 0, 3, "ended before it had compared"),
    ("Segmentation fault", 139, 3, "code 139: Segmentation fault"),
    ("", 1, 3, "code 1: it said nothing"),
]
_STLINK = [
    ("st-info", "", "Found 0 stlink programmers", 0, 3, "no ST-LINK found"),
    ("st-info", "", "serial: 1\nserial: 2\nchipid: 0x413", 0, 3, "several ST-LINKs"),
    ("st-info", "", "Found 1 stlink programmers\n chipid: no", 0, 3, "does not say what it is"),
    ("st-info", "", "ERROR usb.c: Could not open USB device", 255, 3, "no permission"),
    ("st-info", "", "ERROR common.c: Failed to connect to target", 255, 3, "does not reach"),
    ("st-flash", "write", "WARN usb.c: Couldn't find any ST-Link devices", 255, 3, "no ST-LINK"),
    ("st-flash", "write", "Verification of flash failed at offset: 0", 255, 3, "differs"),
    ("st-flash", "write", "stlink_fwrite_flash() == -1", 255, 3, "cannot be written"),
    ("st-flash", "read", "", 0, 3, "differs from the image from 0x08000000 on"),
]
_PYOCD = [
    ("read32", "No connected debug probes", 3, 3, "no debug probe found"),
    ("read32", "C Target type stm32f407vgtx not recognized. Use", 1, 2, "pyocd pack install"),
    ("read32", "Permission denied", 1, 3, "no permission"),
    ("read32", "Enter the number of the debug probe or 'q' to quit", 1, 3, "several debug probes"),
    ("read32", "Error: SWD/JTAG communication failure (No ACK)", 1, 3, "does not reach the chip"),
    ("load", "flash program page failure (address 0x00000000)", 1, 3, "cannot be written"),
]
_JLINK = [
    ("", "Connecting to J-Link via USB...FAILED", 1, 3, "no J-Link found"),
    ("", "Cannot connect to target.", 1, 3, "does not reach the chip"),
    ("", 'The device "X" is unknown to this software version.', 1, 2, "not know the chip"),
    ("write", "Verify failed @ address 0x0", 0, 3, "differs from the image"),
    ("write", "ERROR: Failed to erase sectors.", 1, 3, "cannot be written"),
]
_DFU = [
    ("-l", "dfu-util 0.11", 0, 3, "no bootloader found .*BOOT0"),
    ("-l", "dfu-util: Cannot open device: LIBUSB_ERROR_ACCESS", 74, 3, "no permission"),
    ("-D", "dfu-util: No DFU capable USB device available", 74, 3, "no bootloader found"),
    ("-D", "dfu-util: More than one DFU capable USB device found!", 74, 3, "several bootloaders"),
    ("-D", "dfu-util: last page at 0x08001fff is not writeable", 74, 3, "cannot be written"),
]
_UNABLE = (
    "RP2040 device at bus 1 appears to be in BOOTSEL mode, but picotool was unable to connect."
)
_PICOTOOL = [
    (
        "",
        "No accessible RP-series devices in BOOTSEL mode were found.",
        249,
        3,
        "no board in BOOTS",
    ),
    (
        "",
        f"No accessible RP-series devices in BOOTSEL mode were found.\n{_UNABLE}",
        249,
        3,
        "no perm",
    ),
    ("info", "Device Information", 0, 3, "no board in BOOTSEL mode"),
    ("load", "ERROR: The device contents did not match the file", 245, 3, "differs from the image"),
    ("load", "Family ID rp2350-arm-s cannot be downloaded anywhere", 1, 3, "another chip"),
]
_BOSSAC = [
    ("", "No device found on ttyACM0", 1, 3, "bootloader does not answer .*twice"),
    ("-i", "Device unsupported", 1, 2, "does not know the chip .*Arduino's bossac"),
    ("-i", "Permission denied", 1, 3, "no permission .*dialout"),
    ("-w", "SAM-BA operation failed", 1, 3, "cannot be written"),
]

CASES = [
    *(Case("openocd", "openocd", "", *case) for case in _OPENOCD),
    *(Case("stflash", *case) for case in _STLINK),
    *(Case("pyocd", "pyocd", *case) for case in _PYOCD),
    *(Case("jlink", "JLinkExe", *case) for case in _JLINK),
    *(Case("dfu", "dfu-util", *case) for case in _DFU),
    *(Case("picotool", "picotool", *case) for case in _PICOTOOL),
    *(Case("bossac", "bossac", *case) for case in _BOSSAC),
]
