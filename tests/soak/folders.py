"""1,000 damaged build folders: every command ends by itself and writes nothing outside of them."""

import shutil

from soak.figure import Figure
from soak.mutated import BUILD, figures
from support.builds import done

MUTANTS = 1_000


def run(seconds: float) -> list[Figure]:
    """Try them for at most `seconds`; they are made of the demo model's build."""
    base = BUILD / "folders" / "base"
    shutil.rmtree(base, ignore_errors=True)
    done("export", "--target", "host", "--out", base)
    return figures("folders", MUTANTS, seconds)
