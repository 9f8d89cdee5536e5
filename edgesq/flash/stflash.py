"""st-flash and st-info of the stlink project: ST-LINK probes."""

from edgesq.errors import BoardError
from edgesq.flash.checks import compare_check, register_check
from edgesq.flash.keys import CHIP_REGISTER, PROBE_USB_IDS
from edgesq.flash.runner import Programmer
from edgesq.flash.steps import Failure, Job, Step

PROGRAM = "st-flash"


def steps(job: Job) -> list[Step]:
    """Return: who is there, write, read back, reset."""
    probe = job.probe_option("--serial")
    origin, size = f"{job.image.origin:#x}", str(len(job.image.data))
    right_chip = register_check(job, r"chip-?id:\s+(0x[0-9a-f]+)")

    def check(output: str) -> None:
        if output.count("serial:") > 1 and job.probe is None:
            raise BoardError("several ST-LINKs", hint="choose one with --probe SERIAL")
        right_chip(output)

    return [
        Step(("st-info", *probe, "--probe"), check=check),
        Step((PROGRAM, *probe, "write", str(job.flat), origin)),
        Step((PROGRAM, *probe, "read", str(job.read_back), origin, size), check=compare_check(job)),
        Step((PROGRAM, *probe, "reset")),
    ]


RUNNER = Programmer(
    name="stflash",
    program=PROGRAM,
    needs=CHIP_REGISTER,
    get="apt-get install stlink-tools",
    failures=(
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
            r"unknown chip id|Failed to connect to target|Soft reset failed|"
            r"Can not connect to target",
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
    ),
    is_compared=True,
    steps=steps,
    probe_ids=PROBE_USB_IDS,
)
