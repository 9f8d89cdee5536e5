"""The same model by edgesq's runtime and by TensorFlow Lite Micro, side by side on one board."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgesq.builds import Firmware, FirmwareOptions, around_tflm, make_firmware
from edgesq.choices import Goal
from edgesq.flash import flash, stop
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.formats.tflm import arena_bytes
from edgesq.graph import Int8Array
from edgesq.int8_only import need_int8
from edgesq.link.client import Client
from edgesq.link.transport import open_port
from edgesq.project import compile_firmware
from edgesq.targets import Target

_SEED = 20261121
_NAME = "model"


@dataclass(frozen=True)
class RuntimeRow:
    """What a model takes by one runtime. The field names are the JSON's keys.

    Attributes:
        runtime: "edgesq" or "tflm".
        ram_bytes: of the whole image; of the arena alone where it was not compiled.
        flash_bytes: of the whole image; of the .tflite alone where it was not compiled.
        arena_bytes: part of it.
        instructions: per image; None where no emulated board ran it.
        differing: outputs that differ from TFLite's reference kernels; None where nothing ran.
        note: what was not measured, and why.
    """

    runtime: str
    ram_bytes: int
    flash_bytes: int
    arena_bytes: int
    instructions: int | None = None
    differing: int | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Runtimes:
    """What `edgesq compare-runtimes` shows.

    Attributes:
        schema: version of this shape.
        target: the board.
        runtimes: edgesq's, then TensorFlow Lite Micro's.
    """

    schema: int = 2
    target: str
    runtimes: tuple[RuntimeRow, ...]


def compare_runtimes(
    tflite: bytes,
    target: Target,
    tflm_dir: Path | None,
    on_stage: Callable[[str], None],
) -> tuple[RuntimeRow, RuntimeRow]:
    """Compile and, on an emulated board, run a model by both runtimes.

    Args:
        tflite: int8 model.
        target: the board.
        tflm_dir: TensorFlow Lite Micro's tree with its library built for the board; without it its
            row says what the model itself takes.
        on_stage: is told what begins.

    Raises:
        EdgesqError: the model, the board or a tool cannot be used.
    """
    graph = read_graph(tflite)
    need_int8(graph, "a comparison with TensorFlow Lite Micro")
    image = np.random.default_rng(_SEED).integers(-128, 128, (1, *graph.image_shape), np.int8)
    expected = ReferenceInterpreter(tflite).run(image)[0].reshape(-1)
    on_stage(f"edgesq on {target.name}")
    ours = make_firmware(graph, tflite, FirmwareOptions(target, _NAME, Goal.BALANCED))
    own = _measure("edgesq", ours, image, expected)
    on_stage(f"TensorFlow Lite Micro on {target.name}")
    if tflm_dir is None and not target.is_host:
        used = arena_bytes(tflite)
        note = "the .tflite and the arena alone: give --tflm-dir for the whole image"
        return own, RuntimeRow("tflm", used, len(tflite), used, note=note)
    options = FirmwareOptions(around_tflm(target), _NAME, tflm_dir=tflm_dir)
    return own, _measure("tflm", make_firmware(graph, tflite, options), image, expected)


def _measure(runtime: str, firmware: Firmware, image: Int8Array, expected: Int8Array) -> RuntimeRow:
    target = firmware.target
    with tempfile.TemporaryDirectory(prefix="edgesq-") as scratch:
        build = Path(scratch)
        firmware.lay_out(build / "firmware")
        sizes = compile_firmware(build / "firmware", target)
        arena = int(firmware.facts.arena_bytes)
        per_tick = target.instructions_per_tick
        if per_tick is None:
            note = "instructions are counted on emulated boards only"
            return RuntimeRow(runtime, sizes.ram_bytes, sizes.flash_bytes, arena, note=note)
        board = flash(build, target)
        try:
            with open_port(board.port) as transport:
                result = Client(transport).infer(image.tobytes(), ahead=False)
        finally:
            stop(build)
    differing = int(np.count_nonzero(result.outputs[0] != expected))
    instructions = round(result.ticks * per_tick)
    return RuntimeRow(runtime, sizes.ram_bytes, sizes.flash_bytes, arena, instructions, differing)
