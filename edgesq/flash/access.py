"""May this user open serial ports and debug probes, and the udev rules that say so."""

import os
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edgesq.flash import esptool
from edgesq.flash.keys import usb_ids_of
from edgesq.link.holders import MODEM_MANAGER
from edgesq.targets import Target

RULES = Path("/etc/udev/rules.d/60-edgesq.rules")
"""Where `udev_rules` belongs: before 73, where udev gives devices to whoever sits at the screen."""

_GROUPS = ("dialout", "uucp")
"""Owners of serial ports: of Debian, Ubuntu and Fedora; of Arch."""

_HEAD = """\
# Boards and debug probes that edgesq knows: `edgesq doctor --udev` prints this.
# Whoever sits at the screen may use them, and the group plugdev; ModemManager leaves them alone.
"""
_RULE = (
    'ATTRS{{idVendor}}=="{vid}", ATTRS{{idProduct}}=="{pid}", '
    'MODE="0660", GROUP="{group}", TAG+="uaccess", ENV{{ID_MM_DEVICE_IGNORE}}="1"'
)
_SUBSYSTEMS = {"usb": "plugdev", "tty": "dialout", "hidraw": "plugdev"}
"""By kind of device, the group that has it: USB itself, its serial ports, CMSIS-DAP version 1."""


@dataclass(frozen=True)
class Access:
    """Something that decides whether boards can be reached.

    Attributes:
        what: it is about.
        is_good: whether nothing need be done.
        detail: how it is, or what to do.
    """

    what: str
    is_good: bool
    detail: str


def udev_rules(targets: Iterable[Target]) -> str:
    """Return rules for the USB ids of boards, their probes and bootloaders, sorted."""
    names = defaultdict[str, list[str]](list)
    for target in targets:
        for usb_id in usb_ids_of(target):
            names[usb_id].append(target.name)
    for usb_id in esptool.USB_IDS:
        names[usb_id].append("boards of ESP-IDF")
    lines = [_HEAD]
    for usb_id in sorted(names):
        vid, pid = usb_id.split(":")
        lines.append(f"\n# {', '.join(names[usb_id])}\n")
        for subsystem, group in _SUBSYSTEMS.items():
            rule = _RULE.format(vid=vid, pid=pid, group=group)
            lines.append(f'SUBSYSTEM=="{subsystem}", {rule}\n')
    return "".join(lines)


def serial_access() -> tuple[Access, ...]:
    """Say what stands between this user and boards on Linux; nothing on other systems."""
    if sys.platform != "linux":
        return ()
    has_rules = RULES.is_file()
    found = [_of_group()]
    if RULES.parent.is_dir():
        how = f"edgesq doctor --udev | sudo tee {RULES}"
        found.append(Access("debug probes", has_rules, str(RULES) if has_rules else how))
    if not has_rules and _runs(MODEM_MANAGER):
        detail = f"{MODEM_MANAGER} writes to new ports for some seconds; these rules stop it"
        found.append(Access("new serial ports", False, detail))
    return tuple(found)


def _of_group() -> Access:
    import grp

    what = "serial ports"
    if os.geteuid() == 0:
        return Access(what, True, "root may use them")
    there = {one.gr_name: one for one in grp.getgrall()}
    groups = [there[name] for name in _GROUPS if name in there]
    mine = {os.getegid(), *os.getgroups()}
    names = [one.gr_name for one in groups if one.gr_gid in mine]
    if names or not groups:
        return Access(what, True, f"this user is in group {names[0]}" if names else "no group")
    join = f'sudo usermod --append --groups {groups[0].gr_name} "$USER"'
    return Access(what, False, f"{join}, then log in again")


def _runs(name: str) -> bool:
    """Say whether a process of this name runs."""
    for file in Path("/proc").glob("[0-9]*/comm"):
        try:
            if file.read_text(errors="replace").strip() == name:
                return True
        except OSError:  # it has ended
            continue
    return False
