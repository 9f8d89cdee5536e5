"""Read Keras model files."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from edgesq.errors import ModelError
from edgesq.quantize.quiet import captured_output

if TYPE_CHECKING:
    import keras

_SUFFIXES = (".keras", ".h5")
_OWN_LAYERS = "build the model from Keras' own layers and save it again"
_DAMAGED = "the file is damaged or was written by another version; save it again"


def load_keras(path: Path | str) -> keras.Model:
    """Load a `.keras` or `.h5` model for inference, without its optimizer.

    Raises:
        ModelError: the file is missing, of another kind, corrupt, or holds a layer Keras does not
            know.
    """
    file = Path(path)
    if not file.is_file():
        raise ModelError("no such model file", where=str(file), hint="check the path")
    if file.suffix.lower() not in _SUFFIXES:
        raise ModelError(
            f"a {file.suffix or 'nameless'} file is not a Keras model",
            where=str(file),
            hint="give a .keras or .h5 file, as model.save() writes it",
        )
    return _load(file)


def _load(file: Path) -> keras.Model:
    """Load `file` quietly; whatever Keras says about a bad one becomes one line."""
    with captured_output():
        import keras

        try:
            model = keras.saving.load_model(file, compile=False)
        # Keras raises nearly every kind of exception on a damaged archive.
        except Exception as error:
            raise _load_error(file, error) from error
    if not isinstance(model, keras.Model):
        raise ModelError("holds no Keras model", where=str(file), hint="save a keras.Model")
    return model


def _load_error(file: Path, error: Exception) -> ModelError:
    """Say in one line why Keras could not load `file`."""
    said = " ".join(str(error).split())
    unknown = re.search(r"(?:Could not locate class|Unknown layer:) '([^']+)'", said)
    if unknown:
        message, hint = f"has a layer that Keras does not know: {unknown[1]}", _OWN_LAYERS
    elif "Lambda" in said:
        message, hint = "has a Lambda layer, which would run code from the file", _OWN_LAYERS
    elif file.suffix.lower() == ".keras" and not zipfile.is_zipfile(file):
        message, hint = "is not a complete .keras archive", _DAMAGED
    else:
        message = f"cannot be read as a Keras model: {said[:160] or type(error).__name__}"
        hint = _DAMAGED
    return ModelError(message, where=str(file), hint=hint)
