"""st-flash and st-info of the stlink project: ST-LINK probes."""

from edgesq.errors import BoardError
from edgesq.flash.steps import Failure, Job, Step, chip_check, compare_check

PROGRAM = "st-flash"
GET = "apt-get install stlink-tools"
COMPARES = True
FAILURES = (
    Failure(
        r"Found 0 stlink|Couldn't find any ST-Link|No ST-Link",
        "no ST-LINK found",
        "connect the board's USB socket named ST-LINK; `--probe` must be its serial number",
    ),
    Failure(
        r"LIBUSB_ERROR_ACCESS|Could not open USB device|Permission denied",
        "no permission to use the ST-LINK",
        "install the stlink project's udev rules and plug the board in again",
    ),
    Failure(
        r"unknown chip id|Failed to connect to target|Soft reset failed|Can not connect to target",
        "the ST-LINK does not reach the chip, or st-flash does not know it",
        "check power; hold reset while it connects; or --runner openocd",
    ),
    Failure(
        r"Flash == -1|Verification of flash failed|flash verification failed",
        "the flash differs from the image",
        "flash again; if it differs again the flash is worn or protected",
    ),
    Failure(
        r"write protect|Failed to erase|stlink_fwrite_flash\(\) == -1",
        "the flash cannot be written",
        "it may be write protected: remove the protection with STM32CubeProgrammer",
    ),
)


def steps(job: Job) -> list[Step]:
    """Return: who is there, write, read back, reset."""
    probe = () if job.probe is None else ("--serial", job.probe)
    origin, size = f"{job.image.origin:#x}", str(len(job.image.data))
    which_chip = chip_check(job, r"chip-?id:\s+(0x[0-9a-f]+)")

    def check(output: str) -> None:
        if output.count("serial:") > 1 and job.probe is None:
            raise BoardError("several ST-LINKs", hint="choose one with --probe SERIAL")
        which_chip(output)

    return [
        Step(("st-info", *probe, "--probe"), check=check),
        Step((PROGRAM, *probe, "write", str(job.flat), origin)),
        Step((PROGRAM, *probe, "read", str(job.read_back), origin, size), check=compare_check(job)),
        Step((PROGRAM, *probe, "reset")),
    ]
