"""bossac: Arduino boards whose bootloader speaks SAM-BA; Arduino's own bossac, for the nRF52840.

What it reads back would be the bootloader's part of the flash, so nothing is compared here: whether
the board runs this very firmware its answer to HELLO tells.
"""

from pathlib import Path

from edgesq.errors import BoardError
from edgesq.flash.checks import other_chip, said_check
from edgesq.flash.keys import BOOTLOADER_USB_IDS, Key
from edgesq.flash.runner import Programmer
from edgesq.flash.steps import Failure, Job, Step
from edgesq.link.transport import find_ports

PROGRAM = "bossac"
_GET = "get Arduino's bossac (1.9.1-arduino2): it comes with the Arduino IDE's Mbed OS Nano core"
_CHIP = Key("bossac", str)
"""The chip as its bootloader tells bossac."""


def steps(job: Job) -> list[Step]:
    """Return: which chip; then erase, write and start. The bootloader adds its own size."""
    ports = find_ports(BOOTLOADER_USB_IDS.of(job.target), job.probe)
    chip = _CHIP.of(job.target)
    right_chip = said_check(job, r"^Device\s*:\s*(\S+)", chip, other_chip(job, "nothing", chip))
    port = (PROGRAM, f"--port={Path(ports[0]).name if ports else 'PORT'}", "-U")

    def check(output: str) -> None:
        if len(ports) > 1:
            hint = "choose one with --probe SERIAL"
            raise BoardError(f"several boards: {', '.join(ports)}", hint=hint)
        right_chip(output)

    return [
        Step((*port, "-i"), check=check),
        Step((*port, "-e", "-w", str(job.flat), "-R")),
    ]


RUNNER = Programmer(
    name="bossac",
    program=PROGRAM,
    needs=(_CHIP, BOOTLOADER_USB_IDS),
    get=_GET,
    failures=(
        Failure(
            r"No device found|No serial ports available|Failed to open port",
            "the bootloader does not answer",
            "press the board's reset button twice, quickly: its light fades in and out",
        ),
        Failure(
            r"Device unsupported|unsupported device|not supported",
            "this bossac does not know the chip",
            _GET,
            is_board=False,
        ),
        Failure(
            r"Permission denied",
            "no permission to open the port",
            "add yourself to the group dialout",
        ),
        Failure(
            r"SAM-BA operation failed|Flash command failed|Flash page .*error",
            "the flash cannot be written",
            "press reset twice and flash again",
        ),
    ),
    is_compared=False,
    steps=steps,
)
