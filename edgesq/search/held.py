"""Metaparameters held at values that the user gives: a narrower space, or a grid of trials."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgesq.errors import EdgesqError
from edgesq.graph import Graph
from edgesq.search.records import Params, Value
from edgesq.search.space import Space

if TYPE_CHECKING:
    import keras

Values = Mapping[str, tuple[Value, ...]]

MAX_GRID = 1_000
"""Trials of a grid."""


@dataclass(frozen=True)
class Held:
    """A space in which some metaparameters take the given values alone.

    Attributes:
        space: what is chosen among otherwise.
        values: by metaparameter; at least one each.
    """

    space: Space
    values: Values

    def suggest(self, trial: Any) -> Params:
        """Return metaparameters, those held from their values.

        Raises:
            EdgesqError: the space has none of such a name.
        """
        params = self.space.suggest(_Narrowed(trial, self.values))
        check_names(self.values, params)
        return params

    def first(self) -> tuple[Params, ...]:
        """Return all of a grid; else what the space tries first, with what is held as it is."""
        grid = self.grid()
        if grid is not None:
            return grid
        still = {name: values[0] for name, values in self.values.items()}
        ladder = [{**params, **still} for params in self.space.first()]
        return tuple(one for place, one in enumerate(ladder) if one not in ladder[:place])

    def grid(self) -> tuple[Params, ...] | None:
        """Return every network there is, where everything is held; None where more is free."""
        known = self.space.first()
        if not known or set(known[0]) - set(self.values):
            return None
        names = tuple(known[0])
        return tuple(
            dict(zip(names, chosen, strict=True))
            for chosen in itertools.product(*(self.values[name] for name in names))
        )

    def side(self, params: Params) -> int:
        """Return the height and width of the input."""
        return self.space.side(params)

    def graph(self, params: Params) -> Graph:
        """Return the int8 graph that is planned."""
        return self.space.graph(params)

    def model(self, params: Params) -> keras.Model:
        """Return the network to train."""
        return self.space.model(params)

    def finished(self, params: Params, trained: keras.Model) -> keras.Model:
        """Return what was trained as it is to be quantized."""
        return self.space.finished(params, trained)

    def taken(self, name: str, value: Value) -> Value:
        """Return a value as the space has it."""
        return self.space.taken(name, value)


class _Narrowed:
    """An Optuna trial that offers only what is held."""

    def __init__(self, trial: Any, values: Values) -> None:
        self._trial, self._values = trial, values

    def __getattr__(self, asked: str) -> Any:
        own = getattr(self._trial, asked)
        if not asked.startswith("suggest_"):
            return own

        def suggest(name: str, *arguments: Any, **named: Any) -> Any:
            if name in self._values:
                return self._trial.suggest_categorical(name, self._values[name])
            return own(name, *arguments, **named)

        return suggest


def values_given(options: Sequence[str], where: str) -> Values:
    """Return what options say, each NAME=VALUE or NAME=VALUE,VALUE,...

    Args:
        options: as they were given.
        where: what errors call them.

    Raises:
        EdgesqError: one says nothing, or two say something of the same name.
    """
    found: dict[str, tuple[Value, ...]] = {}
    for option in options:
        name, _, said = option.partition("=")
        values = tuple(map(str.strip, said.split(",")))
        if not name or not all(values):
            raise EdgesqError(f"is {option}", where=where, hint="as squeeze_ratio=0.25,0.5")
        if name in found:
            raise EdgesqError(f"{name} is given twice", where=where, hint="as NAME=VALUE,VALUE")
        found[name] = tuple(map(_value, values))
    return found


def _value(text: str) -> Value:
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        return number if math.isfinite(number) else text
    return text


def values_of(hold: Values, grid: Values, space: Space) -> Values:
    """Return what is held: for a grid everything, what is not named as in a network tried first.

    Args:
        hold: values to choose among, by metaparameter.
        grid: values of which every combination is tried; none for a search.
        space: that they are of.

    Raises:
        EdgesqError: a name or a value is none of the space's.
    """
    known = space.first()
    if known:
        check_names({**hold, **grid}, known[0])
    hold, grid = _taken(hold, space), _taken(grid, space)
    if not grid:
        return hold
    if not known:
        raise EdgesqError(
            "a grid of a space of one's own is not known",
            where="--grid",
            hint="narrow it by --hold, or in its file",
        )
    still = {name: (value,) for name, value in known[1].items() if value is not None}
    held = {**still, **hold, **grid}
    count = math.prod(map(len, held.values()))  # of which none is made yet
    if count > MAX_GRID:
        raise EdgesqError(
            f"is {count:,} networks", where="--grid", hint=f"at most {MAX_GRID:,}: fewer values"
        )
    return held


def _taken(values: Values, space: Space) -> Values:
    return {
        name: tuple(dict.fromkeys(space.taken(name, value) for value in some))
        for name, some in values.items()
    }


def check_names(values: Values, known: Mapping[str, object]) -> None:
    """Refuse to hold what a space does not choose.

    Raises:
        EdgesqError: it has no such metaparameter.
    """
    wrong = sorted(set(values) - set(known))
    if wrong:
        raise EdgesqError(
            f"the space has no metaparameter {wrong[0]}",
            where="--hold and --grid",
            hint=" | ".join(known),
        )
