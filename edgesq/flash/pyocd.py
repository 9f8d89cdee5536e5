"""pyOCD: CMSIS-DAP, ST-LINK and J-Link probes."""

from edgesq.flash.checks import compare_check, register_check
from edgesq.flash.keys import CHIP_ID_ADDRESS, CHIP_REGISTER, PROBE_USB_IDS, Key
from edgesq.flash.runner import Programmer
from edgesq.flash.steps import Failure, Job, Step

PROGRAM = "pyocd"
_CHIP = Key("pyocd", str)
"""The chip as pyOCD calls it."""


def steps(job: Job) -> list[Step]:
    """Return: which chip, write, read back, reset."""
    register = CHIP_ID_ADDRESS.of(job.target)
    rest = ("-W", "-t", _CHIP.of(job.target), *job.probe_option("-u"))
    read_id = f"read32 {register:#x}"
    size = len(job.image.data)
    save = f'savemem {job.image.origin:#x} {size} "{job.read_back}"'
    return [
        Step(
            (PROGRAM, "commander", *rest, "-c", read_id),
            check=register_check(job, rf"^{register:08x}:\s+([0-9a-f]{{8}})"),
        ),
        Step((PROGRAM, "load", *rest, str(job.elf))),
        Step((PROGRAM, "commander", *rest, "-c", save), check=compare_check(job)),
        Step((PROGRAM, "reset", *rest)),
    ]


RUNNER = Programmer(
    name="pyocd",
    program=PROGRAM,
    needs=(_CHIP, *CHIP_REGISTER),
    get="pip install pyocd",
    failures=(
        Failure(
            r"No connected debug probes|No available debug probes|No target device available",
            "no debug probe found",
            "connect the board's debug USB socket; `--probe` must be part of the probe's unique id",
        ),
        Failure(
            r"not recognized",
            "pyOCD does not know this chip yet",
            "install its pack: `pyocd pack install` and the name after -t in --dry-run",
            is_board=False,
        ),
        Failure(
            r"Permission denied|Access denied|insufficient permissions|LIBUSB_ERROR_ACCESS",
            "no permission to use the debug probe",
            "install pyOCD's udev rules and plug the board in again",
        ),
        Failure(
            r"multiple (probes|debug probes)|Enter the number of the debug probe",
            "several debug probes",
            "choose one with --probe",
        ),
        Failure(
            r"No ACK|SWD/JTAG communication failure|Error attempting to (probe|connect)|"
            r"Unable to connect|DP initialisation failed",
            "the probe does not reach the chip",
            "check power and wires; hold reset while it connects",
        ),
        Failure(
            r"flash (program|erase).*fail|FlashFailure|FlashEraseFailure|FlashProgramFailure",
            "the flash cannot be written",
            "it may be protected: `pyocd erase --mass` removes everything, protection too",
        ),
    ),
    is_compared=True,
    steps=steps,
    probe_ids=PROBE_USB_IDS,
)
