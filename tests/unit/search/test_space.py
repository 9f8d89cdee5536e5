"""Spaces: SqueezeNet's metaparameters, and files of one's own."""

import optuna
import pytest

from edgesq.errors import EdgesqError, ModelError
from edgesq.search.records import Params
from edgesq.search.space import FileSpace, SqueezeNets
from edgesq.zoo.architecture import FIRE_MODULES

SQUEEZENETS = SqueezeNets((24, 32), 3, 5)


@pytest.mark.parametrize("number", range(6))
def test_every_choice_is_a_network(number: int) -> None:
    """No choice leaves a Fire module without filters, or is too small for its pools."""
    sampler = optuna.samplers.RandomSampler(seed=number)
    study = optuna.create_study(sampler=sampler)
    params = SQUEEZENETS.suggest(study.ask())
    graph = SQUEEZENETS.graph(params)
    squeezed = [op for op in graph.ops if op.name.endswith("squeeze1x1")]
    assert len(squeezed) == FIRE_MODULES
    assert graph.tensors[graph.input].shape == (1, params["side"], params["side"], 3)
    assert graph.tensors[graph.output].shape == (1, 5)


@pytest.mark.parametrize(("sides", "layout"), [((24, 32), "small"), ((96, 128), "v1.1")])
def test_what_is_tried_first_is_of_the_space(sides: tuple[int, ...], layout: str) -> None:
    """From narrow to wide; and no candidate that Optuna could not choose."""
    space = SqueezeNets(sides, 3, 5)
    study = optuna.create_study()
    weights = []
    for params in space.first():
        study.enqueue_trial(params, skip_if_exists=False)
        assert space.suggest(study.ask()) == params
        weights.append(space.graph(params).weights_bytes)
        assert (params["layout"], params["side"]) == (layout, sides[-1])
    assert weights == sorted(weights)
    assert len(weights) == 4


def test_the_narrowest_network_is_one() -> None:
    low = {"conv1": 8, "base_e": 8, "incr_e": 0, "freq": 4, "pct_3x3": 0.125}
    params: Params = {
        **low,
        "layout": "v1.0",
        "squeeze_ratio": 0.125,
        "bypass": "complex",
        "side": 24,
    }
    assert SQUEEZENETS.graph(params).weights_bytes < 10_000


def models(outputs: list[tuple[int, ...]], inputs: list[tuple[int, ...]]) -> str:
    """Return a file whose models look like Keras' with these shapes."""
    return (
        "from types import SimpleNamespace as Some\n"
        "def build(trial):\n"
        "    trial.suggest_int('x', 1, 2)\n"
        "    def some(shapes): return [Some(shape=(None, *shape)) for shape in shapes]\n"
        f"    return Some(outputs=some({outputs}), inputs=some({inputs}))\n"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("build = 1", "has no function build"),
        ("def build(trial): return 1 / 0", "cannot be run: ZeroDivisionError: division by zero"),
        ("def build(trial: return 1", "cannot be run: SyntaxError"),
        ("def build(trial): return trial", "build returns Trial"),
        ("import sys\ndef build(trial): sys.exit(3)", "cannot be run: SystemExit: 3"),
        (models([(3,), (3,)], [(8, 8, 3)]), "build returns a model with outputs [3] and [3]"),
        (models([(4,)], [(8, 8, 3)]), "build returns a model with outputs [4]"),
        (models([(3,)], [(8, 8, 1)]), "build returns a model for [8, 8, 1]"),
        (models([(3,)], [(8, 9, 3)]), "build returns a model for [8, 9, 3]"),
        (models([(3,)], [(8, 8, 3), (8, 8, 3)]), "build returns a model for [8, 8, 3] and"),
        (models([(3,)], [()]), "build returns a model for []"),
        (
            "def build(trial): return trial.suggest_categorical('x', [])",
            "cannot be run: ValueError",
        ),
    ],
)
def test_a_file_that_cannot_be_used(text: str, says: str) -> None:
    trial = optuna.create_study().ask()
    with pytest.raises(EdgesqError) as raised:
        FileSpace(text, "space.py", 3, 3).suggest(trial)
    assert str(raised.value).startswith(f"space.py: {says}")


def test_a_model_that_cannot_be_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever TensorFlow raises is the trial's failure, not the study's end."""

    def raises(*_: object) -> bytes:
        raise RuntimeError("no such op: FlexFFT")

    monkeypatch.setattr("edgesq.search.space.to_int8_tflite", raises)
    space = FileSpace(models([(3,)], [(8, 8, 3)]), "space.py", 3, 3)
    with pytest.raises(ModelError, match=r"cannot be converted: RuntimeError: no such op: FlexFFT"):
        space.graph({"x": 1})
