"""What an ecosystem expects, as part of a build folder."""

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from edgesq.builds.folder import FIRMWARE
from edgesq.calibrate import Preprocessing
from edgesq.choices import Layout
from edgesq.codegen import pixel_table
from edgesq.graph import Graph
from edgesq.project import lay_out_library
from edgesq.targets import Target


def write_library(
    build: Path,
    layout: Layout,
    graph: Graph,
    files: Mapping[str, str],
    preprocessing: Preprocessing,
    name: str,
) -> None:
    """Write a format's folder in BUILD; of `cmake`, the firmware project, only its example.

    Args:
        build: a build folder.
        layout: which ecosystem's.
        graph: the model.
        files: its generated C data, file name to text.
        preprocessing: from pixels to the model's input.
        name: what the model's C names begin with.
    """
    texts = {**files, **pixel_table(graph, preprocessing, name)}
    folder = build / folder_of(layout)
    lay_out_library(folder, layout, texts, name, metadata.version("edgesq"))


def layouts_of(layout: Layout, target: Target) -> list[Layout]:
    """Return what a build holds: `cmake` beside any format, where the target has a port."""
    return [Layout.CMAKE] * (not target.is_library) + [layout] * (layout is not Layout.CMAKE)


def folder_of(layout: Layout) -> str:
    """Return the folder of a format in a build."""
    return FIRMWARE if layout is Layout.CMAKE else layout.value
