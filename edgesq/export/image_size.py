"""What a whole image takes in flash."""

import tempfile
from dataclasses import replace
from pathlib import Path

from edgesq.errors import MissingToolError, ModelError
from edgesq.export.runtime import FirmwareOptions, make_firmware
from edgesq.graph import Graph
from edgesq.plan import needs
from edgesq.project import compile_firmware
from edgesq.targets import Target

_ROOM_BYTES = 1 << 26
"""Flash that any model fits into, so that it can be linked."""


def image_bytes(graph: Graph, tflite: bytes, options: FirmwareOptions) -> int:
    """Return what a whole image takes: the linker's word, or else an upper bound."""
    firmware = make_firmware(graph, tflite, replace(options, target=_roomy(options.target)))
    if firmware.chosen is None:
        raise ModelError("only edgesq's own runtime decodes weights", hint="leave out --compress")
    if not options.target.is_library:
        with tempfile.TemporaryDirectory(prefix="edgesq-") as scratch:
            firmware.lay_out(Path(scratch))
            try:
                return compile_firmware(Path(scratch), firmware.target).flash_bytes
            except MissingToolError:
                pass
    return needs(graph, firmware.chosen.plan, options.target)["flash"]


def _roomy(target: Target) -> Target:
    """Return a target with so much flash that any model can be linked."""
    memory = tuple(
        replace(region, bytes=_ROOM_BYTES) if region.name == "flash" else region
        for region in target.memory
    )
    return replace(target, memory=memory)
