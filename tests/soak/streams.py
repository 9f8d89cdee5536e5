"""The decoder of weights against any streams, tables and tiles of libFuzzer, guided by coverage."""

import tempfile
import time
from pathlib import Path

from soak.figure import Figure
from soak.fuzz import fuzz
from support import fuzzing

EXECUTIONS = 400_000
COMPILE_S = 10
"""What is left of a part's time for the compiler and the end of the last input."""


def run(seconds: float) -> list[Figure]:
    """Fuzz for at most `seconds`, on every core but at most 4."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="edgesq-fuzz-") as scratch:
        program = fuzzing.build_streams(
            Path(scratch), "clang", ["-fsanitize=fuzzer"], fuzzing.FUZZED
        )
        left = seconds - COMPILE_S - (time.monotonic() - begun)
        return fuzz(program, fuzzing.stream_seeds(), left, EXECUTIONS)
