"""Which other programs have a serial port open."""

import contextlib
import os
from pathlib import Path

MODEM_MANAGER = "ModemManager"
"""Opens every new serial port for some seconds, to see whether it is a modem."""

_PTMX = Path("/dev/ptmx")
_HINT = "systemctl stop ModemManager, or have udev set ID_MM_DEVICE_IGNORE for the board"


def holders(port: str) -> tuple[str, ...]:
    """Return "name (pid N)" of every other process with a device open, as far as we may know.

    Whoever is the far end of a pty is not another.
    """
    device = Path(os.path.realpath(port))
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            opened = {place.readlink() for place in (process / "fd").iterdir()}
            is_far_end = _PTMX in opened and str(device).startswith("/dev/pts/")
            if device in opened and not is_far_end and int(process.name) != os.getpid():
                name = (process / "comm").read_text(errors="replace").strip()
                found.append(f"{name} (pid {process.name})")
    return tuple(found)


def how_to_free(names: tuple[str, ...]) -> str:
    """Return what to try where these programs have a port."""
    if any(name.startswith(MODEM_MANAGER) for name in names):
        return _HINT
    return "close it" if names else "close it; `sudo fuser -v PORT` says which"
