"""`report.json` of a build folder, read as what every command takes it for.

A build may come from somebody else, so nothing in it is believed: each key that a command uses has
its type and range here, and what is not as it must be is one line of error.
"""

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

from edgesq.calibrate import Classes, Preprocessing
from edgesq.codegen import TFLM_KERNELS, check_name
from edgesq.errors import EdgesqError
from edgesq.export.operators import Operator
from edgesq.export.parity import ParityRow
from edgesq.files import read_json, write_whole
from edgesq.graph import Graph
from edgesq.kernels.coded import streamable
from edgesq.limits import MAX_EXTENT
from edgesq.plan import Candidate, Goal, judge
from edgesq.project import Layout
from edgesq.typed import keyed

REPORT = "report.json"

_NEEDED = ("target", "files", "verify_images")
"""Keys that a report never lacks."""

_MAX_BYTES = 1 << 40
_KERNELS = ("portable", "dsp", "mve", TFLM_KERNELS)

_TYPES: dict[str, Any] = {
    **dict.fromkeys(("target", "model", "name", "model_sha256", "kernels"), str),
    **dict.fromkeys(("verify_images", "parity_images"), str),
    **dict.fromkeys(("flash_bytes", "ram_bytes", "arena_bytes", "ram_limit"), int | None),
    **dict.fromkeys(("weights_room_bytes", "arena_limit_bytes"), int | None),
    **dict.fromkeys(("macs", "weights_bytes"), int),
    "files": dict[str, str],
    "format": Layout,
    "optimize": Goal,
    "tflm_dir": str | None,
    "bands": dict[str, int],
    "streamed": list[int],
    "parity": list[ParityRow],
    "operators": list[Operator],
    "import": list[str],
    "warnings": list[str],
    "preprocessing": dict[str, Any],
}
"""What commands read of a report; whatever else is in it they leave alone."""


class Report(dict[str, Any]):
    """A report whose keys are of the types that they must be; one that is missing is an error.

    Args:
        build: the folder it is from.
        content: the keys.

    Attributes:
        build: as given.
    """

    def __init__(self, build: Path, content: dict[str, Any]) -> None:
        super().__init__(content)
        self.build = build

    def __missing__(self, key: str) -> Any:
        """Say that it is damaged."""
        raise _damaged(self.build, f"key '{key}' is missing")


def read_report(build: Path) -> Report:
    """Return the report of a build folder.

    Raises:
        EdgesqError: there is none, or it is damaged.
    """
    try:
        content = read_json(build / REPORT)
        if not isinstance(content, dict):
            raise ValueError("is no JSON object")
        _check(content)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EdgesqError(
            "not a build folder", where=str(build), hint="run `edgesq export` first"
        ) from error
    except OSError as error:
        raise _damaged(build, f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _damaged(build, str(error)) from error
    return Report(build, content)


def write_report(build: Path, report: dict[str, Any]) -> None:
    """Write the report of a build folder, whole or not at all."""
    write_whole(build / REPORT, json.dumps(report, indent=2) + "\n")


def planned(report: Report, graph: Graph) -> Candidate | None:
    """Return the plan that a build's firmware has; None where its runtime plans for itself.

    Raises:
        EdgesqError: the report does not say it, or says one that the model cannot have.
    """
    kernels = report["kernels"]
    if kernels == TFLM_KERNELS:
        return None
    streamed = frozenset(report.get("streamed", ()))
    if streamed - streamable(graph, kernels):
        raise _damaged(report.build, "key 'streamed': no such convolutions")
    return judge(
        graph,
        kernels,
        {int(height): rows for height, rows in report["bands"].items()},
        report.get("weights_room_bytes"),
        streamed,
        report.get("arena_limit_bytes"),
    )


def _damaged(build: Path, why: str) -> EdgesqError:
    return EdgesqError(f"{REPORT} is damaged: {why}", where=str(build), hint="export again")


def _check(content: dict[str, Any]) -> None:
    """Hold every key against its type and range.

    Raises:
        ValueError: one is not as it must be.
    """
    for key in _NEEDED:
        if key not in content:
            raise ValueError(f"key '{key}' is missing")
    for key, hint in _TYPES.items():
        if key in content:
            value = keyed(key, hint, content[key])
            if isinstance(value, int) and not 0 <= value <= _MAX_BYTES:
                raise ValueError(f"key '{key}': {value}")
    if content.get("kernels", _KERNELS[0]) not in _KERNELS:
        raise ValueError("key 'kernels': no such family")
    for name in content["files"]:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError(f"key 'files': {name} is not in the folder")
    for height, rows in content.get("bands", {}).items():
        if not re.fullmatch(r"-?[1-9][0-9]{0,7}", height) or not 1 <= rows <= MAX_EXTENT:
            raise ValueError("key 'bands': no rows of a map")
    for row in content.get("parity", ()):
        if len({row[key] is None for key in ("differing", "max_lsb", "top1_agreement")}) > 1:
            raise ValueError("key 'parity': a row holds results in part")
    try:
        if "name" in content:
            check_name(content["name"])
    except EdgesqError as error:
        raise ValueError(f"key 'name': {error.message}") from error
    Preprocessing.from_json(content.get("preprocessing", {}))
    Classes.from_report(content.get("classes"))
