"""Read and write the two kinds of Keras file, told apart by content: zip (.keras), HDF5 (.h5)."""

from __future__ import annotations

import json
import math
import shutil
import zipfile
from pathlib import Path
from typing import Any

from edgesq.errors import ModelError
from edgesq.limits import MAX_FILE_BYTES, MAX_NODES, MAX_VALUES
from edgesq.quantize.keras_config import Config

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"
_CONFIG, _WEIGHTS, _METADATA = "config.json", "model.weights.h5", "metadata.json"
_MODEL_CONFIG = "model_config"
_MAX_ITEMS = 16 * MAX_NODES
"""Largest number of groups and arrays in an HDF5 file; a layer has a few, and the optimizer adds
more."""

_DAMAGED = "the file is damaged; save it again"
_WHOLE = "save the whole model, with model.save()"


def read_config(file: Path) -> tuple[Config, int]:
    """Return the configuration of the model in a .keras or .h5 file, and its Keras' version.

    What the file's name ends in does not matter.

    Raises:
        ModelError: the file is none of both, damaged, too large, or holds weights only.
    """
    where = str(file)
    if file.stat().st_size > MAX_FILE_BYTES:
        raise _too_large(where)
    with file.open("rb") as opened:
        start = opened.read(len(_HDF5))
    if start == _HDF5:
        text, version = _read_hdf5(file, where)
        if text is None:
            raise ModelError("holds weights only, no model", where=where, hint=_WHOLE)
    elif start.startswith(_ZIP) or zipfile.is_zipfile(file):
        text, version = _from_zip(file)
    else:
        kind = "HDF5 file" if file.suffix.lower() == ".h5" else ".keras archive"
        raise ModelError(f"is not a complete {kind}", where=where, hint=_DAMAGED)
    try:
        config = json.loads(text)
    except ValueError as error:
        raise ModelError(
            f"cannot be read as a Keras model: its configuration: {error}",
            where=where,
            hint=_DAMAGED,
        ) from error
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict | list):
        raise ModelError("holds no Keras model", where=where, hint=_WHOLE)
    return config, int(version[:1]) if version[:1].isdigit() else 3


def with_config(file: Path, config: Config, folder: Path) -> Path:
    """Write a copy of a model file with another configuration, named as its content is.

    Args:
        file: that `read_config` has read.
        config: the new one.
        folder: where the copy lies then.
    """
    import h5py

    text = json.dumps(config)
    if h5py.is_hdf5(file):
        copy = folder / "model.h5"
        shutil.copyfile(file, copy)
        copy.chmod(0o600)
        with h5py.File(copy, "r+") as archive:
            archive.attrs[_MODEL_CONFIG] = text.encode()
        return copy
    copy = folder / "model.keras"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as new:
        weights = Path(old.extract(_WEIGHTS, folder))
        _read_hdf5(weights, str(file))
        new.writestr(_CONFIG, text)
        new.writestr(_METADATA, old.read(_METADATA) if _METADATA in old.namelist() else "{}")
        new.write(weights, _WEIGHTS)
    weights.unlink()
    return copy


def _from_zip(file: Path) -> tuple[str, str]:
    where = str(file)
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(item.file_size for item in archive.infolist()) > MAX_FILE_BYTES:
                raise _too_large(where)
            names = archive.namelist()
            if _CONFIG not in names:
                raise ModelError("is a zip archive without a model", where=where, hint=_WHOLE)
            if _WEIGHTS not in names:
                raise ModelError("holds a model without weights", where=where, hint=_WHOLE)
            text = archive.read(_CONFIG).decode()
            about = json.loads(archive.read(_METADATA)) if _METADATA in names else {}
            damaged = archive.testzip()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise ModelError("is not a complete .keras archive", where=where, hint=_DAMAGED) from error
    if damaged is not None:
        raise ModelError(
            f"cannot be read as a Keras model: {damaged} is damaged", where=where, hint=_DAMAGED
        )
    return text, str(about.get("keras_version", "")) if isinstance(about, dict) else ""


def _read_hdf5(file: Path, where: str) -> tuple[str | None, str]:
    """Look at everything in an HDF5 file.

    Returns:
        its model's configuration, None without one, and the version of its Keras.
    """
    import h5py

    try:
        with h5py.File(file, "r") as archive:
            _check_items(archive, where)
            text = _text(archive.attrs.get(_MODEL_CONFIG))
            version = _text(archive.attrs.get("keras_version")) or ""
    # HDF5's errors are of nearly every kind.
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        said = " ".join(str(error).split())[:160]
        raise ModelError(f"cannot be read as HDF5: {said}", where=where, hint=_DAMAGED) from error
    return text, version


def _text(value: Any) -> str | None:
    return value.decode() if isinstance(value, bytes) else value if value is None else str(value)


def _check_items(archive: Any, where: str) -> None:
    """Refuse data that lies in other files, and more than a model has."""
    import h5py

    groups, count, values = [archive], 0, 0
    while groups:
        group = groups.pop()
        for name in group:
            link = group.get(name, getlink=True)
            item = group[name] if isinstance(link, h5py.HardLink) else None
            if (
                item is None
                or getattr(item, "external", None)
                or getattr(item, "is_virtual", False)
            ):
                raise ModelError("takes data from another file", where=where, hint=_WHOLE)
            if isinstance(item, h5py.Group):
                groups.append(item)
            size = math.prod(getattr(item, "shape", None) or ())
            count, values = count + 1, values + size
            if count > _MAX_ITEMS or size > MAX_VALUES or values > MAX_FILE_BYTES:
                raise _too_large(where)


def _too_large(where: str) -> ModelError:
    return ModelError(
        f"is larger than the {MAX_FILE_BYTES / (1 << 30):.0f} GiB that are read",
        where=where,
        hint="give a model for images of a size that a board can take",
    )
