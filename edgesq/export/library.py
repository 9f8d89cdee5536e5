"""The library of an ecosystem, as part of a build folder."""

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from edgesq.calibrate import Preprocessing
from edgesq.codegen import pixel_table
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
    """Write BUILD/FORMAT; nothing for `cmake`, which is the firmware project.

    Args:
        build: a build folder.
        layout: which ecosystem's.
        graph: the model.
        files: its generated C data, file name to text.
        preprocessing: from pixels to the model's input.
        name: what the model's C names begin with.
    """
    texts = {**files, **pixel_table(graph, preprocessing, name)}
    lay_out_library(build / layout.value, layout, texts, name, metadata.version("edgesq"))


def reported_preprocessing(report: Mapping[str, Any]) -> Preprocessing:
    """Return the preprocessing that a report tells of."""
    told = report.get("preprocessing", {})
    return Preprocessing(**{**told, **({"mean": tuple(told["mean"])} if told else {})})
