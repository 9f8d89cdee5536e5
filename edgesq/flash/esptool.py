"""esptool: chips of Espressif, over their serial bootloader, with a project of ESP-IDF.

There is no port of ours on these chips: what is programmed is the user's project, which holds the
library that `edgesq export --format esp-idf` wrote. Comparing is by MD5: a loader in the chip reads
its flash and sends the sum.
"""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgesq.errors import BoardError
from edgesq.flash.esp_idf import NAME, Project, is_project, read_project
from edgesq.flash.foreign import Programming, System, Wish
from edgesq.flash.runner import Programmer
from edgesq.flash.steps import Failure, Step
from edgesq.link.transport import find_ports

PROGRAMS = ("esptool", "esptool.py")
"""Version 5 has the first and wants dashes; version 4 has the second and wants underscores."""

USB_IDS = (
    "303a:1001",  # USB Serial/JTAG in the chip; esptool, loader.py
    "10c4:ea60",  # CP2102, CP2104; esptool's docs, "Troubleshooting", names these makers' bridges
    "10c4:ea70",  # CP2105
    "1a86:7523",  # CH340
    "1a86:55d3",  # CH343
    "1a86:55d4",  # CH9102
    "0403:6001",  # FT232R
    "0403:6010",  # FT2232H
)
"""Serial devices that boards of Espressif's chips have."""

_BAUD = "460800"
_NO_PORT = "PORT"
_PRESS = "It was not reset, as the project asks: press its button."


@dataclass(frozen=True)
class ProjectJob:
    """What is to be put where.

    Attributes:
        project: what ESP-IDF built.
        port: the board's serial device.
    """

    project: Project
    port: str


def read(folder: Path, wish: Wish) -> Programming[ProjectJob]:
    """Return what is to be done with a built project.

    Args:
        folder: the project's, or its build folder.
        wish: its probe is the serial number of the board's USB device, or the device's path.

    Raises:
        EdgesqError: the project cannot be flashed, or not as wished.
        ToolError: a file is missing.
    """
    wish.check(NAME, folder, (RUNNER.name,), options=False)
    project, ports = read_project(folder), _ports(wish.probe)
    obstacle = None
    if len(ports) != 1:
        found = f"several boards: {', '.join(ports)}" if ports else "no board found"
        hint = "name its USB serial number or port: --probe /dev/ttyUSB0"
        obstacle = BoardError(found, hint=hint)
    return Programming(
        board=project.chip,
        programmer=RUNNER,
        work=ProjectJob(project, _NO_PORT if obstacle else ports[0]),
        ports=tuple(ports),
        obstacle=obstacle,
        note="" if project.is_started else _PRESS,
    )


def steps(job: ProjectJob) -> list[Step]:
    """Return: which chip; then write, compare and leave as the project says."""
    project = job.project
    name = next((name for name in PROGRAMS if shutil.which(name)), PROGRAMS[0])

    def word(dashed: str) -> str:
        return dashed if name == PROGRAMS[0] else dashed.replace("-", "_")

    def command(chip: str, after: str, what: str, *arguments: str) -> tuple[str, ...]:
        stub = () if project.has_stub else ("--no-stub",)
        before = ("--before", word(project.before), "--after", word(after))
        line = ("--port", job.port, "--baud", _BAUD)
        return (name, "--chip", chip, *line, *before, *stub, word(what), *arguments)

    options = (
        text
        for key, value in project.settings
        for text in (f"--{word(key.replace('_', '-'))}", value)
    )
    files = (text for at, path in project.files for text in (f"{at:#x}", str(path)))
    what = (*options, *files)
    return [
        Step(command("auto", "no-reset", "chip-id"), check=_chip_check(project)),
        Step(command(project.chip, "no-reset", "write-flash", *what)),
        Step(command(project.chip, project.after, "verify-flash", *what)),
    ]


def _chip_check(project: Project) -> Callable[[str], None]:
    def check(output: str) -> None:
        found = re.search(r"(?:Detecting chip type\.\.\.|Connected to)\s+(ESP[\w-]+)", output)
        if found is None:
            hint = "connect the board, or choose the port with --probe"
            raise BoardError("the chip does not say what it is", hint=hint)
        chip = found[1].lower().replace("-", "")
        if chip != project.chip:
            hint = "`idf.py set-target` for the board you have, or choose the port with --probe"
            raise BoardError(
                f"another board: its chip says {chip}, the project's {project.chip}", hint=hint
            )

    return check


def _ports(probe: str | None) -> list[str]:
    """Return the serial devices that the board may be."""
    return [probe] if probe is not None and "/" in probe else find_ports(USB_IDS, probe)


RUNNER = Programmer[ProjectJob](
    name="esptool",
    program=PROGRAMS[0],
    get="pip install esptool",
    failures=(
        Failure(
            r"This chip is .*, not ",
            "another chip than the project's",
            "`idf.py set-target` for the board you have, or choose the port with --probe",
        ),
        Failure(
            r"Permission denied",
            "no permission to open the port",
            "add yourself to the group dialout",
        ),
        Failure(
            r"Could not open \S+, the port is busy or doesn't exist",
            "the port is not there, or another program uses it",
            "plug the board in and end `idf.py monitor`",
        ),
        Failure(
            r"Wrong boot mode detected",
            "the chip runs its program and not its bootloader",
            "hold BOOT, press reset, let BOOT go, and flash again",
        ),
        Failure(
            r"Failed to connect to |No serial data received",
            "the chip's bootloader does not answer",
            "hold BOOT, press reset, let BOOT go, and flash again",
        ),
        Failure(
            r"Failed to start stub flasher",
            "esptool's loader does not start in the chip's RAM",
            "check power and cable; or build with CONFIG_ESPTOOLPY_NO_STUB",
        ),
        Failure(
            r"Verification failed|verify failed|MD5 of file does not match|flash region is empty",
            "the flash differs from the files",
            "flash again; if it differs again the flash is worn or protected",
        ),
        Failure(
            r"will not fit in|requires chip revision|is not an \S+ image",
            "the project does not fit the chip",
            "check flash size and revision in `idf.py menuconfig`, and build again",
            is_board=False,
        ),
        Failure(
            r"Secure Download Mode|Secure Boot \S+ detected|[Ff]lash encryption",
            "the chip is secured",
            "flash it by idf.py, which knows its keys",
        ),
        Failure(
            r"Serial data stream stopped|serial exception error|Invalid head of packet",
            "the serial line broke off",
            "check the cable, and flash again",
        ),
        Failure(
            r"invalid choice: '[a-z-]+'|No such (command|option)",
            "this esptool is of another version than its name says",
            "pip install 'esptool>=5'",
            is_board=False,
        ),
    ),
    is_compared=True,
    steps=steps,
)

SYSTEM = System(name=NAME, is_build=is_project, read=read, programmers=(RUNNER,))
