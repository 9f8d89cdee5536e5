"""What the linker's map says of an image."""

import re
from pathlib import Path

_RAM = (".data", ".bss", ".stack")
_FLASH = (".text", ".init", ".fini", ".rodata", ".ARM.extab", ".ARM.exidx", ".data")


def section_bytes(text: str) -> dict[str, int]:
    """Return the size of every output section."""
    found = re.findall(r"^(\.[\w.]+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)", text, re.M)
    return {name: int(size, 16) for name, size in found}


def memory_bytes(path: Path) -> dict[str, int]:
    """Return what a Cortex-M image takes: "flash" and "ram", as report.json names them."""
    sections = section_bytes(path.read_text())
    return {
        "flash_bytes": sum(sections.get(name, 0) for name in _FLASH),
        "ram_bytes": sum(sections[name] for name in _RAM),
    }


def arena_bytes(path: Path) -> int:
    """Return the size of the firmware's arena."""
    found = re.search(r"^ \.bss\.arena\s+0x[0-9a-f]+\s+0x([0-9a-f]+)", path.read_text(), re.M)
    assert found, "no arena in the map"
    return int(found[1], 16)
