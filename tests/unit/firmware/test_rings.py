"""What a port says it holds, a host sends ahead: while nobody reads, so much must not be lost.

The drivers' rings are stand-ins: each as long, and full, as the system's own. `ports/host` reads
from a pipe, which holds more and loses nothing.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from edgesq.resources import resource
from support.crun import run_command
from support.paths import STANDINS, SUPPORT

FIRMWARE = resource("firmware")
RINGS = SUPPORT / "rings"
ESP_IDF = STANDINS / "esp-idf"
ARDUINO = FIRMWARE / "template" / "arduino" / "sample_model" / "examples" / "verify"


@dataclass(frozen=True)
class Port:
    """A port, what stands for the system below it, and what it must say.

    Attributes:
        sources: the port's file first.
        includes: folders of headers.
        rx_bytes: what it says and holds.
        options: for the compiler.
    """

    sources: tuple[Path, ...]
    includes: tuple[Path, ...]
    rx_bytes: int
    options: tuple[str, ...] = ()


def arduino(rx_bytes: int, *options: str) -> Port:
    sources = (ARDUINO / "port.cpp", RINGS / "arduino.cc")
    return Port(sources, (STANDINS / "arduino",), rx_bytes, options)


PORTS = {
    "own ports": Port(
        (FIRMWARE / "ports" / "common" / "ring.c", RINGS / "ring.c"),
        (FIRMWARE / "ports" / "common",),
        1024,
    ),
    "zephyr": Port(
        (
            FIRMWARE / "template" / "zephyr" / "examples" / "verify" / "src" / "port.c",
            STANDINS / "zephyr" / "core.c",
            RINGS / "pipe.c",
        ),
        (STANDINS / "zephyr" / "include",),
        1024,
    ),
    "pico-sdk": Port(
        (
            FIRMWARE / "template" / "pico-sdk" / "examples" / "verify" / "port.c",
            STANDINS / "pico-sdk" / "core.c",
            RINGS / "pipe.c",
        ),
        (STANDINS / "pico-sdk" / "include",),
        1024,
    ),
    "esp-idf": Port(
        (
            FIRMWARE / "template" / "esp-idf" / "examples" / "verify" / "main" / "port.c",
            RINGS / "esp_idf.c",
        ),
        (ESP_IDF / "include", *(ESP_IDF / "components").glob("*/include")),
        2048,
    ),
    "arduino, stm32 and avr": arduino(63, "-DSERIAL_RX_BUFFER_SIZE=64"),
    "arduino, enlarged": arduino(1023, "-DSERIAL_RX_BUFFER_SIZE=1024"),
    "arduino, a core that does not say": arduino(31),
}

HOST = FIRMWARE / "ports" / "host" / "port.c"


def test_every_port_is_here() -> None:
    sources = (path for path in FIRMWARE.rglob("*") if path.suffix in {".c", ".cpp"})
    ports = {path for path in sources if "esq_port_rx_bytes(void) {" in path.read_text()}
    assert ports == {HOST, *(port.sources[0] for port in PORTS.values())}


@pytest.mark.parametrize("name", PORTS)
def test_a_port_holds_what_it_says(name: str, tmp_path: Path) -> None:
    port = PORTS[name]
    includes = [f"-I{folder}" for folder in (FIRMWARE / "include", RINGS, *port.includes)]
    objects: list[Path] = []
    for source in (*port.sources, RINGS / "flood.c"):
        objects.append(tmp_path / f"{len(objects)}.o")
        compiler = "gcc" if source.suffix == ".c" else "g++"
        run_command(compiler, "-c", *includes, *port.options, source, "-o", objects[-1])
    run_command("g++", *objects, "-o", tmp_path / "flood")
    said, held = map(int, run_command(tmp_path / "flood").split())
    assert (said, held) == (port.rx_bytes, port.rx_bytes)
