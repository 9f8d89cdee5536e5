"""What an ecosystem expects, as part of a build folder."""

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from edgesq.calibrate import Preprocessing
from edgesq.codegen import pixel_table
from edgesq.export.folder import FIRMWARE
from edgesq.graph import Graph
from edgesq.project import Format, lay_out_library


def write_library(
    build: Path,
    layout: Format,
    graph: Graph,
    files: Mapping[str, str],
    preprocessing: Preprocessing,
    name: str,
) -> None:
    """Write BUILD/FORMAT, and the example that the firmware project of `cmake` has.

    Args:
        build: a build folder.
        layout: which ecosystem's.
        graph: the model.
        files: its generated C data, file name to text.
        preprocessing: from pixels to the model's input.
        name: what the model's C names begin with.
    """
    texts = {**files, **pixel_table(graph, preprocessing, name)}
    version = metadata.version("edgesq")
    for chosen, folder in library_folders(layout).items():
        lay_out_library(build / folder, chosen, texts, name, version)


def library_folders(layout: Format) -> dict[Format, str]:
    """Return what a build of this format holds, and in which folder: `cmake` is always there."""
    return {Format.CMAKE: FIRMWARE} | ({} if layout is Format.CMAKE else {layout: layout.value})


def reported_preprocessing(report: Mapping[str, Any]) -> Preprocessing:
    """Return the preprocessing that a report tells of."""
    told = report.get("preprocessing", {})
    return Preprocessing(**{**told, **({"mean": tuple(told["mean"])} if told else {})})
