"""What a whole image takes in flash."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from edgesq.builds.runtime import FirmwareOptions, make_firmware
from edgesq.errors import MissingToolError, ModelError
from edgesq.graph import Graph
from edgesq.plan import Candidate, needs
from edgesq.project import compile_firmware
from edgesq.targets import Target

_ROOM_BYTES = 1 << 26
"""Flash that any model fits into, so that it can be linked."""


@dataclass(frozen=True, eq=False)
class ImageSize:
    """A whole image.

    Attributes:
        bytes: of flash: the linker's word, or else an upper bound.
        chosen: the plan it was made by.
    """

    bytes: int
    chosen: Candidate


def image_size(graph: Graph, tflite: bytes, options: FirmwareOptions) -> ImageSize:
    """Return what a whole image takes on a board that has flash for any.

    Raises:
        ModelError: the runtime plans for itself.
    """
    firmware = make_firmware(graph, tflite, replace(options, target=_roomy(options.target)))
    if firmware.chosen is None:
        raise ModelError("only edgesq's own runtime decodes weights", hint="leave out --compress")
    if not options.target.is_library:
        with tempfile.TemporaryDirectory(prefix="edgesq-") as scratch:
            firmware.lay_out(Path(scratch))
            try:
                sizes = compile_firmware(Path(scratch), firmware.target)
                return ImageSize(sizes.flash_bytes, firmware.chosen)
            except MissingToolError:
                pass
    bound = needs(graph, firmware.chosen.plan, options.target)["flash"]
    return ImageSize(bound, firmware.chosen)


def _roomy(target: Target) -> Target:
    """Return a target with so much flash that any model can be linked."""
    memory = tuple(
        replace(region, bytes=_ROOM_BYTES) if region.name == "flash" else region
        for region in target.memory
    )
    return replace(target, memory=memory)
