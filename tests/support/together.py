"""Generated data of many models in one C file: one compilation in place of hundreds."""

import re
from collections.abc import Mapping
from pathlib import Path

FILE = "all_model.c"

_DEFINED = re.compile(r"^static const [\w *()]*?(\w+)(?:\[\w*\])* = ", re.MULTILINE)


def together(models: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return files that hold all models: their headers, and FILE.

    Args:
        models: what `generate` returned, file name to text, by the name that it was given.
    """
    headers = {
        file: text
        for files in models.values()
        for file, text in files.items()
        if file.endswith(".h")
    }
    sources = [
        _renamed(text, name)
        for name, files in models.items()
        for file, text in files.items()
        if file == f"{name}_model.c"
    ]
    return {**headers, FILE: "\n".join(sources)}


def _renamed(source: str, model: str) -> str:
    """Put a model's name before what its file defines for itself; fields of a struct stay."""
    names = "|".join(sorted(_DEFINED.findall(source), key=len, reverse=True))
    return re.sub(rf"(?<![\w.])({names})\b", rf"{model}_\1", source)


def write_together(folder: Path, models: Mapping[str, Mapping[str, str]]) -> Path:
    """Write `together` into a folder and return the C file."""
    for file, text in together(models).items():
        (folder / file).write_text(text)
    return folder / FILE
