"""Parts of pages that are made from the source: `<!-- made: NAME -->` becomes Markdown."""

import re
from collections.abc import Callable

from edgesq.calibrate.manifest import Manifest
from edgesq.calibrate.preprocessing import Preprocessing
from generate import (
    boards,
    classes,
    commands,
    errors,
    extras,
    headers,
    operators,
    python_api,
    records,
)

_SCHEMAS = (
    *("report", "verify", "evaluate", "target", "plan", "inspect", "targets", "targets-fits"),
    "compare-runtimes",
)


def _record(name: str) -> Callable[[], str]:
    return lambda: records.record(name)


def _header(name: str) -> Callable[[], str]:
    return lambda: headers.header(name)


PARTS: dict[str, Callable[[], str]] = {
    "boards": boards.boards,
    "commands": commands.commands,
    "defines": boards.defines,
    "error-kinds": errors.kinds,
    "errors": errors.messages,
    "extras": extras.extras,
    "flash-keys": records.flash_keys,
    "manifest": classes.fields(Manifest),
    "operators-advice": operators.advice,
    "operators-onnx": operators.of_onnx,
    "operators-onnx-passed": operators.passed,
    "operators-tflite": operators.of_tflite,
    "preprocessing": classes.fields(Preprocessing),
    "python-classes": python_api.classes,
    "python-functions": python_api.functions,
    "python-others": python_api.others,
    **{f"schema-{name}": _record(name) for name in _SCHEMAS},
    **{path.name: _header(path.name) for path in sorted(headers.INCLUDE.glob("*.h"))},
}
"""Name in a page's mark to what makes the part."""

_MARK = re.compile(r"^<!-- made: (\S+) -->$", re.M)


def filled(markdown: str) -> str:
    """Return a page with each mark replaced by its part.

    Raises:
        KeyError: a mark names no part.
    """
    return _MARK.sub(lambda found: PARTS[found[1]](), markdown)
