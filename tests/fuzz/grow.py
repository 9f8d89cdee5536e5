"""`python -m fuzz.grow SECONDS`: fuzz on, and keep the fewest inputs that reach as much."""

import subprocess
import sys
import tempfile
from pathlib import Path

from support import fuzzing


def main(seconds: str) -> None:
    with tempfile.TemporaryDirectory(prefix="edgesq-fuzz-") as scratch:
        folder = Path(scratch)
        program = fuzzing.build_fuzzer(folder)
        fuzzing.unpack(folder / "all", [*fuzzing.corpus(), *fuzzing.seeds()])
        (folder / "few").mkdir()
        for arguments in (
            [f"-max_total_time={seconds}", "all"],
            ["-merge=1", "few", "all"],
        ):
            subprocess.run([program, "-max_len=256", *arguments], cwd=folder, check=True)
        fuzzing.write_corpus(path.read_bytes() for path in (folder / "few").iterdir())


if __name__ == "__main__":
    main(sys.argv[1])
