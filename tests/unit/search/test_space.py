"""Spaces: SqueezeNet's metaparameters, and files of one's own."""

import optuna
import pytest

from edgesq.errors import EdgesqError
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


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("build = 1", "has no function build"),
        ("def build(trial): return 1 / 0", "cannot be run: ZeroDivisionError: division by zero"),
        ("def build(trial: return 1", "cannot be run: SyntaxError"),
        ("def build(trial): return trial", "build returns Trial"),
        (
            "def build(trial): return trial.suggest_categorical('x', [])",
            "cannot be run: ValueError",
        ),
    ],
)
def test_a_file_that_cannot_be_used(text: str, says: str) -> None:
    trial = optuna.create_study().ask()
    with pytest.raises(EdgesqError) as raised:
        FileSpace(text, "space.py", 3).suggest(trial)
    assert str(raised.value).startswith(f"space.py: {says}")
