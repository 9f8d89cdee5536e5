"""The Arduino libraries, built by the recipes of a real core of STM32, on an emulated board."""

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from edgesq.errors import ToolError
from edgesq.flash import qemu
from edgesq.project import Layout, firmware_path
from edgesq.targets import load_target
from support.arduino_core import Core, Sketch
from support.cases import NETWORKS
from support.libraries import check_verifies, library, verify_build
from support.paths import SUPPORT

CORE = os.environ.get("EDGESQ_ARDUINO_CORE", "")
"""Folder of an installed core of STM32, PACKAGE/hardware/stm32/VERSION."""

TARGET = dataclasses.replace(load_target("netduino2"), machine_since="10.0")
"""QEMU 7.2's USART raises no interrupt when it can send; of those between nothing is known."""

BOARD, MENU = "GenF2", {"pnum": "GENERIC_F205RGTX"}
LINE = ("-DSERIAL_UART_INSTANCE=1", "-DPIN_SERIAL_RX=PA10", "-DPIN_SERIAL_TX=PA9")
"""Serial is USART1, which the emulated board has as its first line."""
RING = "-DSERIAL_RX_BUFFER_SIZE=1024"
"""As the libraries' README enlarges it."""

NETWORK = "every_operator"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.emulated,
    pytest.mark.skipif(not CORE, reason="EDGESQ_ARDUINO_CORE names no core of STM32 for Arduino"),
]


def test_the_verifying_sketch(tmp_path: Path) -> None:
    try:
        qemu.machine(TARGET)
    except ToolError as missing:
        pytest.skip(f"for the core's UART: {missing}")
    content = NETWORKS[NETWORK]()
    made = library(tmp_path, Layout.ARDUINO, content, "person", TARGET.kernels)
    libraries = (made.folder / "edgesq", made.folder / "person_model", "SrcWrapper")
    example = made.folder / "person_model" / "examples" / "verify"
    sketch = Sketch(example, libraries, (*LINE, RING), (SUPPORT / "arduino_clock.cpp",))
    (tmp_path / "core").mkdir()
    image = Core(Path(CORE), BOARD, MENU).build(sketch, tmp_path / "core")
    build = verify_build(tmp_path / "edgesq", content, TARGET.name)
    firmware = firmware_path(build / "firmware", TARGET)
    firmware.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(image, firmware)
    check_verifies(build, qemu.command(build, TARGET), tmp_path / "log")
