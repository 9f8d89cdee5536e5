"""What networks a study chooses among: SqueezeNet's metaparameters, or a file's `build`."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, get_args

import numpy as np

from edgesq.errors import EdgesqError, ModelError
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.quantize import captured_output, to_int8_tflite
from edgesq.search.records import Params, Settings, Value
from edgesq.zoo.architecture import V1_0, V1_1, V1_1_SMALL, Bypass, Layout, Metaparameters
from edgesq.zoo.shapes import squeezenet_graph

if TYPE_CHECKING:
    import keras

LAYOUTS = {"v1.0": V1_0, "v1.1": V1_1, "small": V1_1_SMALL}
_WIDTHS = {"low": 8, "high": 128, "step": 8}
_GROWTHS = {"low": 0, "high": 128, "step": 8}
_SHARES_3X3 = {"low": 0.125, "high": 0.875, "step": 0.125}
_SQUEEZE_RATIOS = {"low": 0.125, "high": 1.0, "step": 0.125}
"""None of these leaves a Fire module without filters."""

_FIRST_WIDTHS = (16, 32, 64, 128)
_MAX_HELD = 1_024
_LARGE_SIDE = 64
"""Of an image that a first convolution of stride 2 leaves enough of."""

_HINT = "it takes an Optuna trial and returns a Keras model that ends in a softmax"
_NOISE_SEED = 20261121
_MAX_SAID = 200


class Space(Protocol):
    """What a study chooses among; it is pickled."""

    def suggest(self, trial: Any) -> Params:
        """Return metaparameters that an Optuna trial chooses."""

    def first(self) -> tuple[Params, ...]:
        """Return what is tried before anything is chosen; none where nothing is known."""

    def side(self, params: Params) -> int:
        """Return the height and width of the input."""

    def graph(self, params: Params) -> Graph:
        """Return the int8 graph that is planned, whatever its weights.

        Raises:
            ModelError: these metaparameters make no network.
        """

    def model(self, params: Params) -> keras.Model:
        """Return the network to train."""

    def finished(self, params: Params, trained: keras.Model) -> keras.Model:
        """Return what was trained as it is to be quantized: it ends in a softmax."""

    def taken(self, name: str, value: Value) -> Value:
        """Return the value at which a user holds a metaparameter, as this space has it.

        Raises:
            EdgesqError: it is none of the metaparameter's.
        """


@dataclass(frozen=True)
class SqueezeNets:
    """The paper's metaparameters, the layout, the way around Fire modules and the input size.

    Attributes:
        sides: heights and widths of the input to choose from.
        channels: of the input.
        classes: of the output.
    """

    sides: tuple[int, ...]
    channels: int
    classes: int

    def suggest(self, trial: Any) -> Params:
        """Return metaparameters that an Optuna trial chooses."""
        return {
            "layout": trial.suggest_categorical("layout", tuple(LAYOUTS)),
            "conv1": trial.suggest_int("conv1", **_WIDTHS),
            "base_e": trial.suggest_int("base_e", **_WIDTHS),
            "incr_e": trial.suggest_int("incr_e", **_GROWTHS),
            "freq": trial.suggest_int("freq", 1, 4),
            "pct_3x3": trial.suggest_float("pct_3x3", **_SHARES_3X3),
            "squeeze_ratio": trial.suggest_float("squeeze_ratio", **_SQUEEZE_RATIOS),
            "bypass": trial.suggest_categorical("bypass", ("none", "simple", "complex")),
            "side": trial.suggest_categorical("side", self.sides),
        }

    def first(self) -> tuple[Params, ...]:
        """Return one network four times, each twice as wide as the one before it.

        Narrow ones come first: what takes more is then stopped where it is no better. With half of
        the filters 3x3 and a simple bypass, as the paper recommends (sections 5.3 and 6); squeezed
        less than there, as an eighth of few filters is next to none.
        """
        side = max(self.sides)
        layout = "small" if side < _LARGE_SIDE else "v1.1"
        return tuple(
            {
                "layout": layout,
                "conv1": min(width, V1_1.conv1_filters),
                "base_e": width,
                "incr_e": width // 2,
                "freq": 2,
                "pct_3x3": 0.5,
                "squeeze_ratio": 0.25,
                "bypass": "simple",
                "side": side,
            }
            for width in _FIRST_WIDTHS
        )

    def side(self, params: Params) -> int:
        """Return the height and width of the input."""
        return _whole(params["side"])

    def graph(self, params: Params) -> Graph:
        """Return the int8 graph that is planned, without training or quantizing anything.

        Raises:
            ModelError: these metaparameters make no network.
        """
        layout, widths, shape = self._parts(params)
        bypass: Any = params["bypass"]
        return squeezenet_graph(layout, shape, self.classes, bypass, widths)

    def model(self, params: Params) -> keras.Model:
        """Return the network to train, with batch normalization, which ends in logits."""
        return self._built(params, trainable=True)

    def finished(self, params: Params, trained: keras.Model) -> keras.Model:
        """Return what was trained, without batch normalization and with a softmax."""
        from edgesq.zoo.squeezenet import fold_batch_norm

        plain = self._built(params, trainable=False)
        fold_batch_norm(trained, plain)
        return plain

    def taken(self, name: str, value: Value) -> Value:
        """Return a whole number, a share or a word, as the metaparameter is.

        Raises:
            EdgesqError: it is another, or none of those there are.
        """
        like = self.first()[0][name]
        words = {"layout": tuple(LAYOUTS), "bypass": get_args(Bypass), "side": self.sides}
        if name in words:
            is_one, what = value in words[name], " | ".join(map(str, words[name]))
        elif isinstance(like, float):
            is_one, what = not isinstance(value, str) and 0 < value <= 1, "above 0, at most 1"
        else:
            least = 0 if name == "incr_e" else 1
            is_one = isinstance(value, int) and least <= value <= _MAX_HELD
            what = f"a whole number from {least} to {_MAX_HELD:,}"
        if not is_one:
            raise EdgesqError(f"{name} is {value}", where="--hold and --grid", hint=what)
        return float(value) if isinstance(like, float) else value

    def _built(self, params: Params, *, trainable: bool) -> keras.Model:
        from edgesq.zoo.squeezenet import squeezenet

        layout, widths, shape = self._parts(params)
        bypass: Any = params["bypass"]
        return squeezenet(
            layout,
            shape,
            self.classes,
            bypass=bypass,
            relu_conv10=False,
            include_softmax=not trainable,
            metaparameters=widths,
            dropout=0,
            batch_norm=trainable,
        )

    def _parts(self, params: Params) -> tuple[Layout, Metaparameters, tuple[int, int, int]]:
        known = LAYOUTS[str(params["layout"])]
        conv1 = _whole(params["conv1"])
        layout = Layout(known.name, conv1, known.conv1_size, known.pools_after, known.conv1_stride)
        widths = Metaparameters(
            _whole(params["base_e"]),
            _whole(params["incr_e"]),
            _whole(params["freq"]),
            float(params["pct_3x3"] or 0),
            float(params["squeeze_ratio"] or 0),
        )
        side = self.side(params)
        return layout, widths, (side, side, self.channels)


@dataclass(frozen=True)
class FileSpace:
    """Networks of `build(trial) -> keras.Model`.

    The file's text is kept, so that other machines need no file.

    Attributes:
        text: of the file.
        path: what errors call it.
        channels: of the input.
        classes: of the output.
    """

    text: str
    path: str
    channels: int
    classes: int

    def suggest(self, trial: Any) -> Params:
        """Build once, to see what is asked of an Optuna trial.

        Raises:
            EdgesqError: the file cannot be run, or asks the trial for nothing.
        """
        self._run(trial)
        if not trial.params:
            raise EdgesqError(
                "is an empty space: build asks the trial for nothing",
                where=self.path,
                hint='as trial.suggest_int("width", 8, 64)',
            )
        return dict(trial.params)

    def first(self) -> tuple[Params, ...]:
        """Return none."""
        return ()

    def side(self, params: Params) -> int:
        """Return the height and width of the input."""
        return int(self.model(params).inputs[0].shape[1])

    def graph(self, params: Params) -> Graph:
        """Return the untrained model, quantized for its shapes.

        Raises:
            ModelError: TensorFlow or edgesq cannot take it.
        """
        model = self.model(params)
        shape = model.inputs[0].shape[1:]
        noise = np.random.default_rng(_NOISE_SEED).random((2, 1, *shape), np.float32)
        try:
            content = to_int8_tflite(model, noise)
        except EdgesqError:
            raise
        except Exception as error:  # whatever TensorFlow raises of a model that it cannot take
            said = f"{type(error).__name__}: {error}"[:_MAX_SAID]
            raise ModelError(
                f"cannot be converted: {said}", where=self.path, hint="try `edgesq export` with it"
            ) from error
        return read_graph(content, self.path)

    def model(self, params: Params) -> keras.Model:
        """Return the network to train.

        Raises:
            EdgesqError: the file cannot be run.
        """
        return self._run(_Fixed(params))

    def finished(self, params: Params, trained: keras.Model) -> keras.Model:
        """Return the network as it was trained."""
        del params
        return trained

    def taken(self, name: str, value: Value) -> Value:
        """Return the value: only the file knows."""
        del name
        return value

    def _run(self, trial: Any) -> keras.Model:
        """Run the file, and `build` with a trial."""
        module = types.ModuleType("edgesq_search_space")
        try:
            with captured_output():
                exec(compile(self.text, self.path, "exec"), vars(module))
            build = getattr(module, "build", None)
            if not callable(build):
                raise EdgesqError("has no function build", where=self.path, hint=_HINT)
            with captured_output():
                model = build(trial)
        except EdgesqError:
            raise
        except (Exception, SystemExit) as error:  # whatever their code raises
            said = f"{type(error).__name__}: {error}"
            raise EdgesqError(f"cannot be run: {said}", where=self.path, hint=_HINT) from error
        return self._checked(model)

    def _checked(self, model: Any) -> keras.Model:
        outputs, inputs = (_shapes(model, name) for name in ("outputs", "inputs"))
        if outputs != [(self.classes,)]:
            shown = " and ".join(str(list(shape)) for shape in outputs)
            got = f"a model with outputs {shown}" if outputs else type(model).__name__
            raise ModelError(
                f"build returns {got}",
                where=self.path,
                hint=f"the images have {self.classes} classes: a Keras model with as many outputs",
            )
        side = inputs[0][0] if inputs and inputs[0] else None
        if side is None or inputs != [(side, side, self.channels)]:
            raise ModelError(
                f"build returns a model for {' and '.join(str(list(one)) for one in inputs)}",
                where=self.path,
                hint=f"one square image of fixed size, [side, side, {self.channels}]",
            )
        return model


def _shapes(model: Any, name: str) -> list[tuple[Any, ...]]:
    """Return the shapes of a Keras model's inputs or outputs, without the batch; none of others."""
    tensors = getattr(model, name, None)
    return [tuple(one.shape[1:]) for one in tensors] if isinstance(tensors, list | tuple) else []


class _Fixed:
    """Answers what an Optuna trial is asked by what was chosen before."""

    def __init__(self, params: Params) -> None:
        self.params = params

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("suggest_"):
            raise AttributeError(f"a trial that is built again has no {name}")
        return lambda name, *_, **__: self.params[name]


def space_of(settings: Settings) -> Space:
    """Return what a study chooses among."""
    classes = len(settings.classes)
    if settings.space is not None:
        path = settings.space_file or "space"
        return FileSpace(settings.space, path, settings.channels, classes)
    return SqueezeNets(settings.sides, settings.channels, classes)


def _whole(value: object) -> int:
    assert isinstance(value, int), "as it was suggested"
    return value
