"""Whether a target's board is there: its probe, its serial line, or its bootloader's drive."""

import sys

from edgesq.flash.keys import UF2_BOARD_ID, usb_ids_of
from edgesq.flash.touch import usb_ids
from edgesq.flash.uf2 import mounted_drives
from edgesq.link.transport import find_ports
from edgesq.targets import Target


def is_attached(target: Target) -> bool:
    """Say whether anything of a board is seen; on other systems than Linux, that nobody can tell.

    Only there all USB devices are listed, also those that are neither a serial port nor a drive.
    """
    if sys.platform != "linux":
        return True
    ids = usb_ids_of(target)
    if find_ports(tuple(ids)) or ids & usb_ids():
        return True
    return UF2_BOARD_ID.find(target) in mounted_drives().values()
