"""1,000 damaged Keras files and SavedModels: refused by one line, or the same in every form."""

from soak.figure import Figure
from soak.mutated import figures

MUTANTS = 1_000


def run(seconds: float) -> list[Figure]:
    """Try them for at most `seconds`."""
    return figures("keras", MUTANTS, seconds)
