"""TensorFlow Lite Micro's own interpreter on this computer: what it computes, and its arena."""

import re
import subprocess
import sys
from typing import Any

import numpy as np

from edgesq.errors import ModelError
from edgesq.extras import require
from edgesq.formats.tflite.tidy import int8_inside
from edgesq.graph import Int8Array

_ARENA = re.compile(r"Arena allocation total (\d+) bytes")
_TIMEOUT_S = 300


class TflmInterpreter:
    """TensorFlow Lite Micro with its reference kernels.

    Args:
        content: the bytes of an int8 .tflite with one input and one output; of ends that are not
            int8, what is between them is run.

    Attributes:
        input_bytes: of one image.

    Raises:
        MissingExtraError: the package tflite-micro is not installed.
        ModelError: it has an operator that TensorFlow Lite Micro lacks, or is damaged.
    """

    def __init__(self, content: bytes) -> None:
        self._interpreter = _load(int8_inside(content))
        details = self._interpreter.get_input_details(0)
        self._shape = tuple(int(size) for size in details["shape"])
        self.input_bytes = int(np.prod(self._shape))

    def run(self, image: bytes) -> Int8Array:
        """Return the output, int8 [K], for the bytes of one image, int8 [H, W, C]."""
        self._interpreter.set_input(np.frombuffer(image, np.int8).reshape(self._shape), 0)
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_output(0), np.int8).reshape(-1)

    def print_arena(self) -> None:
        """Have the interpreter say on stderr what its arena holds, after `run`."""
        self._interpreter.print_allocations()


def arena_bytes(content: bytes) -> int:
    """Return the bytes of arena that TensorFlow Lite Micro uses for a .tflite.

    It says so on the process' stderr only, so another process runs it. Pointers of this computer
    take twice the bytes of a microcontroller's; an optimised kernel's own buffers are not in it.

    Raises:
        MissingExtraError: the package tflite-micro is not installed.
        ModelError: its interpreter cannot run the model.
    """
    require("tflite_micro")
    done = subprocess.run(
        [sys.executable, "-m", __name__], input=content, capture_output=True, timeout=_TIMEOUT_S
    )
    said = done.stderr.decode(errors="replace")
    found = _ARENA.search(said)
    if done.returncode != 0 or found is None:
        raise ModelError(
            "TensorFlow Lite Micro cannot run the model",
            hint=(said.strip().splitlines() or ["it said nothing"])[-1],
        )
    return int(found.group(1))


def _load(content: bytes) -> Any:
    require("tflite_micro")
    from tflite_micro.python.tflite_micro import runtime

    try:
        return runtime.Interpreter.from_bytes(content)
    except RuntimeError as error:
        raise ModelError(f"TensorFlow Lite Micro cannot run the model: {error}") from error


def main() -> None:
    """Run one image of zeros by the .tflite on stdin, and say what the arena holds."""
    interpreter = TflmInterpreter(sys.stdin.buffer.read())
    interpreter.run(bytes(interpreter.input_bytes))
    interpreter.print_arena()


if __name__ == "__main__":
    main()
