"""What an ecosystem expects, as part of a build folder."""

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from edgesq.builds.folder import FIRMWARE
from edgesq.choices import Layout
from edgesq.project import lay_out_library
from edgesq.targets import Target


def write_library(
    build: Path, layout: Layout, files: Mapping[str, str], name: str, kernels: str
) -> None:
    """Write a format's folder in BUILD; of `cmake`, the firmware project, only its example.

    Args:
        build: a build folder.
        layout: which ecosystem's.
        files: the model's generated C, file name to text.
        name: what the model's C names begin with.
        kernels: family that the model's data are for.
    """
    version = metadata.version("edgesq")
    lay_out_library(build / folder_of(layout), layout, files, name, version, kernels)


def layouts_of(layout: Layout, target: Target) -> list[Layout]:
    """Return what a build holds: `cmake` beside any format, where the target has a port."""
    return [Layout.CMAKE] * (not target.is_library) + [layout] * (layout is not Layout.CMAKE)


def folder_of(layout: Layout) -> str:
    """Return the folder of a format in a build."""
    return FIRMWARE if layout is Layout.CMAKE else layout.value
