"""The table of build systems whose folders can be flashed."""

from pathlib import Path

from edgesq.flash import esptool, pico_sdk
from edgesq.flash.foreign import System

SYSTEMS: tuple[System, ...] = (esptool.SYSTEM, pico_sdk.SYSTEM)


def system_of(folder: Path) -> System | None:
    """Return the system that built in a folder, None where none is known by what it leaves."""
    return next((system for system in SYSTEMS if system.is_build(folder)), None)
