"""The table of build systems whose folders can be flashed."""

from pathlib import Path

from edgesq.flash import arduino, esptool, pico_sdk, platformio, zephyr
from edgesq.flash.foreign import System

SYSTEMS: tuple[System, ...] = (
    esptool.SYSTEM,
    zephyr.SYSTEM,
    pico_sdk.SYSTEM,
    platformio.SYSTEM,  # before Arduino: its examples are sketches too
    arduino.SYSTEM,
)


def system_of(folder: Path) -> System | None:
    """Return the system that built in a folder, None where none is known by what it leaves."""
    return next((system for system in SYSTEMS if system.is_build(folder)), None)
