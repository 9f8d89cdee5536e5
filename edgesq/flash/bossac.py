"""bossac: Arduino boards whose bootloader speaks SAM-BA; Arduino's own bossac, for the nRF52840.

What it reads back would be the bootloader's part of the flash, so nothing is compared here: whether
the board runs this very firmware its answer to HELLO tells.
"""

import re
from pathlib import Path

from edgesq.errors import BoardError
from edgesq.flash.steps import Failure, Job, Step, other_chip
from edgesq.link.transport import find_ports

PROGRAM = "bossac"
GET = "get Arduino's bossac (1.9.1-arduino2): it comes with the Arduino IDE's Mbed OS Nano core"
COMPARES = False
FAILURES = (
    Failure(
        r"No device found|No serial ports available|Failed to open port",
        "the bootloader does not answer",
        "press the board's reset button twice, quickly: its light fades in and out",
    ),
    Failure(
        r"Device unsupported|unsupported device|not supported",
        "this bossac does not know the chip",
        GET,
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
)


def steps(job: Job) -> list[Step]:
    """Return: which chip; then erase, write and start. The bootloader adds its own size."""
    ways = job.target.flash
    ports = find_ports(ways.bootloader_usb_ids, job.probe)
    port = (PROGRAM, f"--port={Path(ports[0]).name if ports else 'PORT'}", "-U")

    def check(output: str) -> None:
        if len(ports) > 1:
            hint = "choose one with --probe SERIAL"
            raise BoardError(f"several boards: {', '.join(ports)}", hint=hint)
        found = re.search(r"^Device\s*:\s*(\S+)", output, re.M)
        if found is None or found[1] != ways.bossac:
            raise other_chip(job, found[1] if found else "nothing", str(ways.bossac))

    return [
        Step((*port, "-i"), check=check),
        Step((*port, "-e", "-w", str(job.flat), "-R")),
    ]
