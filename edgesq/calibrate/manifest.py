"""The `manifest.json` of an image folder: origin, licence, preprocessing, classes, file hashes."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgesq.calibrate.classes import Classes, declared_classes, read_text
from edgesq.calibrate.preprocessing import Preprocessing
from edgesq.errors import ImageError

NAME = "manifest.json"
_HINT = "see calibration_data/manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What a folder says of itself; every part is optional.

    Attributes:
        source: where the images come from.
        licence: under which they may be used.
        preprocessing: how pixels become the model's input.
        classes: which class has which number; none where it does not say.
        files: SHA-256 in hex by path below the folder, `/` between parts; None if not declared.
    """

    source: str = ""
    licence: str = ""
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    classes: Classes = field(default_factory=Classes)
    files: Mapping[str, str] | None = None

    def check(self, folder: Path, names: Set[str]) -> None:
        """Compare the declared files with `names`, all images found below `folder`.

        Raises:
            ImageError: a file is missing, undeclared, or not the one that was declared.
        """
        if self.files is None:
            return
        for name in sorted(self.files.keys() | names):
            where = str(folder / name)
            if name not in names:
                raise ImageError("is in the manifest but not in the folder", where=where)
            if name not in self.files:
                raise ImageError(
                    "is not in the manifest", where=where, hint=f"remove it, or add it to {NAME}"
                )
            if _sha256(folder / name) != self.files[name]:
                raise ImageError(
                    "is not the file that the manifest declares (its SHA-256 differs)",
                    where=where,
                    hint=f"restore the file, or correct {NAME}",
                )


def read_manifest(folder: Path) -> Manifest:
    """Read `folder`/manifest.json; an absent one gives the defaults.

    Raises:
        ImageError: it is not JSON, or not of the documented shape.
    """
    path = folder / NAME
    if not os.path.lexists(path):
        return Manifest()
    text = read_text(path, _HINT)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ImageError(
            f"not valid JSON: {error}", where=str(path), hint="correct or remove it"
        ) from error
    return _Reader(path).manifest(value)


def _sha256(file: Path) -> str:
    found = hashlib.sha256()
    with file.open("rb") as opened:
        while part := opened.read(1 << 20):
            found.update(part)
    return found.hexdigest()


@dataclass(frozen=True)
class _Reader:
    """Checks the shape of the parsed JSON; `path` is for the error messages."""

    path: Path

    def manifest(self, value: Any) -> Manifest:
        fields = self._object(value, "the manifest", Manifest)
        if "preprocessing" in fields:
            fields["preprocessing"] = self._preprocessing(fields["preprocessing"])
        if "classes" in fields:
            fields["classes"] = self._classes(fields["classes"])
        for key in ("source", "licence"):
            self._expect(isinstance(fields.get(key, ""), str), f"{key} is not a string")
        files = fields.get("files")
        good = files is None or _is_mapping_of(files, lambda item: isinstance(item, str))
        self._expect(good, "files is not an object of SHA-256 strings by file name")
        return Manifest(**fields)

    def _preprocessing(self, value: Any) -> Preprocessing:
        fields = self._object(value, "preprocessing", Preprocessing)
        try:
            return Preprocessing.from_json(fields)
        except ValueError as error:
            self._expect(False, str(error))
            raise

    def _classes(self, value: Any) -> Classes:
        try:
            return declared_classes(value, f"by {NAME}")
        except ValueError as error:
            self._expect(False, f"classes: {error}")
            raise

    def _object(self, value: Any, name: str, shape: type) -> dict[str, Any]:
        """Return `value` as a dict with no keys but the fields of dataclass `shape`."""
        self._expect(_is_mapping_of(value, lambda _: True), f"{name} is not an object")
        unknown = sorted(value.keys() - shape.__dataclass_fields__.keys())  # type: ignore[attr-defined]
        self._expect(not unknown, f"{name} has an unknown key: {', '.join(unknown)}")
        return dict(value)

    def _expect(self, condition: bool, complaint: str) -> None:
        if not condition:
            raise ImageError(complaint, where=str(self.path), hint=_HINT)


def _is_mapping_of(value: Any, accept: Callable[[Any], bool]) -> bool:
    """Whether `value` is a JSON object whose values are all accepted."""
    return isinstance(value, dict) and all(map(accept, value.values()))
