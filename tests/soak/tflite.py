"""10,000 damaged .tflite files: refused by one line, or the same in every form."""

from soak.figure import Figure
from soak.mutated import figures

MUTANTS = 10_000


def run(seconds: float) -> list[Figure]:
    """Try them for at most `seconds`."""
    return figures("tflite", MUTANTS, seconds)
