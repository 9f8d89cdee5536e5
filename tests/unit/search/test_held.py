"""Metaparameters that are held: a narrower space, and grids."""

from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from edgesq.errors import EdgesqError
from edgesq.search.folder import StudyFolder
from edgesq.search.held import Held, Values, values_given, values_of
from edgesq.search.records import Params
from edgesq.search.run import Until, run
from edgesq.search.space import FileSpace, SqueezeNets
from support.searching import Inline, TinySpace, nothing, tiny_study

SQUEEZENETS = SqueezeNets((24, 32), 3, 5)
RATIOS = (0.125, 0.25, 0.5, 0.75, 1.0)


def test_what_is_held_is_not_chosen() -> None:
    """By the sampler, and in the networks that come first; other values stay free."""
    values: Values = {"bypass": ("none",), "pct_3x3": (0.03, 0.97), "base_e": (40,)}
    space = Held(SQUEEZENETS, values_of(values, {}, SQUEEZENETS))
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    found = [space.suggest(study.ask()) for _ in range(12)]
    assert {name: {params[name] for params in found} for name in values} == {
        name: set(some) for name, some in values.items()
    }
    assert len({params["conv1"] for params in found}) > 2
    first = space.first()
    assert [params["incr_e"] for params in first] == [8, 16, 32, 64]
    assert all((params["base_e"], params["pct_3x3"]) == (40, 0.03) for params in first)
    for params in first:
        study.enqueue_trial(params)
        assert space.suggest(study.ask()) == params
    assert space.grid() is None


def test_a_grid_holds_all_else_still() -> None:
    given = values_given(["squeeze_ratio=0.125,0.25, 0.5,0.75,1"], "--grid")
    space = Held(SQUEEZENETS, values_of({"bypass": ("none",)}, given, SQUEEZENETS))
    grid = space.grid()
    assert grid is not None
    assert [params["squeeze_ratio"] for params in grid] == list(RATIOS)
    base = {**SQUEEZENETS.first()[1], "bypass": "none"}
    assert all({**params, "squeeze_ratio": 0.25} == base for params in grid)
    assert all(isinstance(params["squeeze_ratio"], float) for params in grid)
    sizes = [space.graph(params).weights_bytes for params in grid]
    assert sizes == sorted(sizes)
    both = {**given, **values_given(["pct_3x3=0.25,0.5"], "--grid")}
    assert len(Held(SQUEEZENETS, values_of({}, both, SQUEEZENETS)).first()) == 10


class Tiny(TinySpace):
    """Whose first networks make a grid possible."""

    def first(self) -> tuple[Params, ...]:
        return ({"width": 10, "size": 1}, {"width": 20, "size": 1})


def test_a_grid_is_trained_whole_and_once(tmp_path: Path) -> None:
    """Each network, though others beat it at every epoch; then it is at its end."""
    folder = StudyFolder(tmp_path / "study")
    space = Held(Tiny(), {"width": (20, 150, 30), "size": (1,)})
    study = replace(tiny_study(folder, space), networks=len(space.first()))
    study.store.enqueue(space.first())
    document = run(study, Inline(), Until(), nothing)
    assert [row.params["width"] for row in document.rows] == [20, 150, 30]
    assert {row.outcome.state for row in document.rows} == {"trained"}


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        (["base=3"], "the space has no metaparameter base"),
        (["base_e=0"], "base_e is 0 (a whole number from 1 to 1,024)"),
        (["base_e=3.5"], "base_e is 3.5 (a whole"),
        (["squeeze_ratio=1.5"], "squeeze_ratio is 1.5 (above 0"),
        (["squeeze_ratio=nan"], "squeeze_ratio is nan (above 0"),
        (["layout=v2"], "layout is v2 (v1.0 | v1.1 | small)"),
        (["side=48"], "side is 48 (24 | 32)"),
        (["side"], "--hold: is side"),
        (["freq=1,,2"], "--hold: is freq=1,,2"),
        (["freq=1", "freq=2"], "freq is given twice"),
    ],
)
def test_what_cannot_be_held(hold: list[str], said: str) -> None:
    with pytest.raises(EdgesqError) as caught:
        values_of(values_given(hold, "--hold"), {}, SQUEEZENETS)
    assert said in str(caught.value)


def test_a_grid_that_is_none() -> None:
    own = FileSpace("", "space.py", 3, 5)
    with pytest.raises(EdgesqError, match="a grid of a space of one's own is not known"):
        values_of({}, {"width": (1, 2)}, own)
    many: Values = {"conv1": tuple(range(1, 101)), "base_e": tuple(range(1, 101))}
    with pytest.raises(EdgesqError, match="is 10,000 networks"):
        values_of({}, many, SQUEEZENETS)


def test_a_file_that_does_not_ask() -> None:
    """Whether a space of one's own has a name is known when it is built."""
    space = Held(TinySpace(), {"depth": (1,)})
    with pytest.raises(EdgesqError, match="the space has no metaparameter depth"):
        space.suggest(optuna.create_study().ask())
