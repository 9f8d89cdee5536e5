"""Finish a CMSIS-Pack: its description names every file, and all go into one archive.

Source: Open-CMSIS-Pack-Spec, schema/PACK.xsd, 1.7.36 (components, conditions, file names).
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from edgesq.kernels.families import FAMILIES

_MOST_CHARACTERS = 32
"""Of a component's name."""

_INSTRUCTIONS = re.compile(r".*_(v\d\w*)\.S")
"""Assembler, and the instruction set that its name ends with."""

_LANGUAGES = {".c": "c", ".S": "asm"}
"""By suffix; other files are found by those."""

_LIST = re.compile(r"^( *)<!-- files of (\S+) -->\n", re.M)
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o100644


def finish_pack(folder: Path, name: str, kernels: str) -> None:
    """Complete the description in a pack's folder, and write the archive beside it.

    The same files give the same archive.

    Args:
        folder: holds all that the pack does; the archive is left out.
        name: what the model's C names begin with.
        kernels: family that the model's data are for.
    """
    component = f"{name}_model"[:_MOST_CHARACTERS]
    (description,) = folder.glob("*.pdsc")
    for path in (description, folder / "README.md", *folder.rglob("*.cproject.yml")):
        text = path.read_text().replace(f"{name}_component", component)
        path.write_text(text.replace(f"{name}_kernels", kernels))
    text = _LIST.sub(lambda found: _listed(folder, found[1], found[2]), description.read_text())
    description.write_text(text)
    release = re.search(r'<release version="([^"]+)"', text)
    assert release is not None, "the template has one"
    _archive(folder, folder / f"{description.stem}.{release[1]}.pack")


def _listed(folder: Path, indent: str, part: str) -> str:
    return "".join(f"{indent}{line}\n" for line in _files(folder, part))


def _files(folder: Path, part: str) -> Iterator[str]:
    for path in sorted((folder / part).rglob("*")):
        if path.suffix in _LANGUAGES:
            place = path.relative_to(folder).as_posix()
            wanted = _condition(path)
            condition = f' condition="{wanted}"' if wanted else ""
            language = _LANGUAGES[path.suffix]
            yield f'<file category="source" language="{language}" name="{place}"{condition}/>'


def _condition(path: Path) -> str | None:
    """Return under which condition a file is compiled: its instruction set, or kernel family."""
    assembler = _INSTRUCTIONS.fullmatch(path.name)
    if assembler:
        return assembler[1]
    return path.parent.name if path.parent.name in FAMILIES else None


def _archive(folder: Path, archive: Path) -> None:
    archive.unlink(missing_ok=True)
    paths = [path for path in folder.rglob("*") if path.is_file()]
    contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    with zipfile.ZipFile(archive, "w") as pack:
        for place, content in sorted(contents.items()):
            entry = zipfile.ZipInfo(place, _FIRST_DATE)
            entry.external_attr = _FILE_MODE << 16
            pack.writestr(entry, content, zipfile.ZIP_DEFLATED)
