"""What a part of the soak hands back."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number and what it was held against.

    Attributes:
        what: name, with the unit.
        value: as measured.
        goal: in words, as "at least 10,000,000"; empty where the number has none.
        is_met: the goal is reached; True where there is none.
    """

    what: str
    value: int | float | str
    goal: str = ""
    is_met: bool = True
