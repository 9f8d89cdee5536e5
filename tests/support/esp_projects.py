"""Projects as `idf.py build` leaves them, for tests: no ESP-IDF is there."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from support.esp_chip import ESP32_S3, image

BOOTLOADER_AT, TABLE_AT, APP_AT = 0x0, 0x8000, 0x10000


def project(folder: Path, chip_id: int = ESP32_S3, **changes: Any) -> Path:
    """Write a build folder of a project for an ESP32-S3, and return it.

    Args:
        folder: to make.
        chip_id: in the images' headers.
        changes: of the description, by key; None leaves a key out.
    """
    noise = np.random.default_rng(8).integers(0, 256, 3072, np.uint8).tobytes()
    files = {
        "bootloader/bootloader.bin": image(chip_id, bytes(range(200)) * 25),
        "partition_table/partition-table.bin": noise,  # does not compress
        "person.bin": image(chip_id, bytes(range(250)) * 280),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    places = dict(zip((BOOTLOADER_AT, TABLE_AT, APP_AT), files, strict=True))
    settings = {"flash_mode": "dio", "flash_size": "8MB", "flash_freq": "80m"}
    arguments = [word for key, value in settings.items() for word in (f"--{key}", value)]
    table: dict[str, Any] = {
        "write_flash_args": arguments,
        "flash_settings": settings,
        "flash_files": {f"{at:#x}": name for at, name in places.items()},
        "app": {"offset": f"{APP_AT:#x}", "file": "person.bin", "encrypted": "false"},
        "extra_esptool_args": extra(),
        **changes,
    }
    kept = {key: value for key, value in table.items() if value is not None}
    (folder / "flasher_args.json").write_text(json.dumps(kept, indent=4))
    return folder


def extra(**changes: Any) -> dict[str, Any]:
    """Return the description's extra_esptool_args with some of them changed."""
    usual = {"after": "hard_reset", "before": "default_reset", "stub": True, "chip": "esp32s3"}
    return {**usual, **changes}
