"""pyOCD: CMSIS-DAP, ST-LINK and J-Link probes."""

from edgesq.flash.steps import Failure, Job, Step, chip_check, compare_check

PROGRAM = "pyocd"
GET = "pip install pyocd"
COMPARES = True
FAILURES = (
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
)


def steps(job: Job) -> list[Step]:
    """Return: which chip, write, read back, reset."""
    ways = job.target.flash
    rest = ("-W", "-t", str(ways.pyocd), *(() if job.probe is None else ("-u", job.probe)))
    read_id = f"read32 {ways.chip_id_address:#x}"
    size = len(job.image.data)
    save = f'savemem {job.image.origin:#x} {size} "{job.read_back}"'
    return [
        Step(
            (PROGRAM, "commander", *rest, "-c", read_id),
            check=chip_check(job, rf"^{ways.chip_id_address:08x}:\s+([0-9a-f]{{8}})"),
        ),
        Step((PROGRAM, "load", *rest, str(job.elf))),
        Step((PROGRAM, "commander", *rest, "-c", save), check=compare_check(job)),
        Step((PROGRAM, "reset", *rest)),
    ]
