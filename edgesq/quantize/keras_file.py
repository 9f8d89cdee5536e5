"""Read Keras model files."""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edgesq.errors import EdgesqError, ModelError
from edgesq.extras import require
from edgesq.quantize.apart import apart, start
from edgesq.quantize.ends import to_scores
from edgesq.quantize.flat import FloatModel, flat, takes_pixels
from edgesq.quantize.keras_archive import read_config, with_config
from edgesq.quantize.keras_config import UnknownLayerError, check_config
from edgesq.quantize.keras_legacy import modernized
from edgesq.quantize.quiet import captured_output

_SUFFIXES = (".keras", ".h5", ".hdf5")
_ANOTHER = "it was written by another version of Keras: save it again with this one"
_UNKNOWN = re.compile(r"(?:Could not locate class|Unknown layer:) '([^']+)'")
_BOLD = re.compile(r"\x1b\[1m(.*?)\x1b\[0m")
"""Escape sequences in Keras' message about a failed call, between the call and its arguments."""

_TRIALS = 2
_SEED = 20261129
_SAID = 300

TOLERANCE = 1e-5
"""Largest difference between the rewritten and the loaded model, relative to the largest output."""


def load_keras(path: Path | str, *, trusted: bool = False) -> FloatModel:
    """Load a `.keras` or `.h5` model for inference, as one list of layers in float32 (`flat`).

    The file is first read and run in a child process. Files of Keras 2 are read as well.

    Args:
        path: the file.
        trusted: it is edgesq's own, so no child process need look at it.

    Raises:
        ModelError: the file is missing, of another kind, corrupt, hostile, too large, or holds
            something that Keras or edgesq does not know.
        MissingExtraError: Keras or TensorFlow is not installed.
    """
    require("tensorflow", "keras", "h5py")
    file = Path(path)
    if not file.is_file():
        raise ModelError("no such model file", where=str(file), hint="check the path")
    if file.suffix.lower() not in _SUFFIXES:
        raise ModelError(
            f"a {file.suffix or 'nameless'} file is not a Keras model",
            where=str(file),
            hint="give a .keras or .h5 file, as model.save() writes it",
        )
    own: frozenset[str] = frozenset()
    if not trusted:
        start()
        own = _registered()
        try:
            apart(_try, file, where=str(file))
        except UnknownLayerError as error:
            if error.name not in own:
                raise
    with captured_output():
        loaded = _load(file, own)
        model, notes = to_scores(flat(loaded, str(file)))
        return FloatModel(model, takes_pixels(loaded, str(file)), notes)


def _registered() -> frozenset[str]:
    """Return the own classes that this process has registered; a child process lacks them."""
    with captured_output():
        import keras

        known = keras.saving.get_custom_objects()
    return frozenset(name for key in known for name in (key, key.rpartition(">")[2]))


def _try(file: Path) -> None:
    """Load a model, write it anew, and run both."""
    where = str(file)
    loaded = _load(file, frozenset())
    made = flat(loaded, where)
    given, read = [], []
    for new, old in zip(made.inputs, loaded.inputs, strict=True):
        shape, rank = new.shape[1:], len(old.shape) - 1
        images: Any = np.random.default_rng(_SEED).integers(0, 256, (_TRIALS, *shape))
        images = images.astype(np.uint8)
        images = images if takes_pixels(loaded, where) else images.astype(np.float32) / 255
        given.append(images.reshape(_TRIALS, *shape[:rank]).astype(old.dtype))
        read.append(images.astype(np.float32))
    theirs, mine = _run(loaded, given, where), _run(made, read, where)
    if not np.isfinite(mine).all():
        raise ModelError(
            "gives results that are not finite",
            where=where,
            hint="look at its weights: one may be far too large",
        )
    worst = float(np.abs(mine - theirs).max() / max(float(np.abs(theirs).max()), 1e-30))
    if not worst <= TOLERANCE:
        raise ModelError(
            f"written anew it differs by {worst:.1e} of its largest output",
            where=where,
            hint="a layer that draws random numbers in inference does so; else please report it",
        )


def _run(model: Any, images: list[Any], where: str) -> Any:
    """Return a model's results one after the other; they may lie in a dictionary or a list."""
    import keras

    try:
        several = len(images) > 1
        given = keras.tree.pack_sequence_as(model.input, images) if several else images[0]
        results = keras.tree.flatten(model(given, training=False))
    # Keras and TensorFlow raise nearly every kind of exception in a model that cannot run.
    except Exception as error:
        if isinstance(error, MemoryError | RecursionError):
            raise
        raise ModelError(
            f"Keras {keras.__version__} cannot run it: {_cause(error)}",
            where=where,
            hint="predict one image with it where it was made, and save it again",
        ) from error
    return np.concatenate([np.asarray(one, np.float32).reshape(len(one), -1) for one in results], 1)


def _load(file: Path, own: frozenset[str]) -> Any:
    """Load a file through a copy that has the configuration of today's Keras."""
    where = str(file)
    config, version = read_config(file)
    with _damaged(where):
        check_config(config, where, own)
        config = modernized(config, version)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copy = with_config(file, config, Path(folder))
        import keras

        from edgesq.quantize.keras_operators import OBJECTS

        try:
            model = keras.saving.load_model(copy, custom_objects=OBJECTS, compile=False)
        except ModelError as error:
            raise ModelError(error.message, where=where, hint=error.hint) from error
        except (EdgesqError, MemoryError, RecursionError):
            raise
        # Keras raises nearly every kind of exception on a damaged archive.
        except Exception as error:
            unknown = _UNKNOWN.search(_cause(error))
            if unknown:
                raise UnknownLayerError(unknown[1], where) from error
            raise ModelError(
                f"Keras {keras.__version__} cannot read it: {_cause(error)}",
                where=where,
                hint=_ANOTHER,
            ) from error
    if not isinstance(model, keras.Model):
        raise ModelError("holds no Keras model", where=where, hint="save a keras.Model")
    return model


@contextmanager
def _damaged(where: str) -> Iterator[None]:
    """Report a configuration of another structure than Keras writes as damaged."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelError(
            f"its configuration is damaged: {type(error).__name__}: {error}",
            where=where,
            hint="save the model again",
        ) from error


def _cause(error: BaseException) -> str:
    """Return what Keras says in one line: the end of it, behind the configurations it quotes."""
    first = error
    while first.__cause__ is not None or first.__context__ is not None:
        first = first.__cause__ or first.__context__  # type: ignore[assignment] # one is there
    said = " ".join(str(first).split()) or type(first).__name__
    bold = _BOLD.search(said)
    if bold:
        return bold[1][:_SAID]
    _, found, cause = said.rpartition("Exception encountered: ")
    return (cause if found else said)[:_SAID]
