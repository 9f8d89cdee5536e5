"""Keep C++ libraries from writing on the user's terminal."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True)
class CapturedOutput:
    """What was written on file descriptors 1 and 2 while they were captured."""

    file: BinaryIO

    def text(self) -> str:
        """Return everything written so far."""
        _flush()
        self.file.seek(0)
        return self.file.read().decode(errors="replace")

    def last_error(self) -> str:
        """Return the compiler's last complaint, cut to 200 characters; "" if there is none."""
        _, found, complaint = self.text().rpartition(" error: ")
        return complaint.strip().partition("\n")[0][:200] if found else ""


@contextmanager
def captured_output() -> Iterator[CapturedOutput]:
    """Send file descriptors 1 and 2 to a temporary file, and back at the end.

    TensorFlow's C++ side writes past `sys.stderr`, so nothing less is quiet. The whole process is
    affected: a progress display that must go on writes to a duplicate of its descriptor (`os.dup`)
    made beforehand.
    """
    _flush()
    saved = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield CapturedOutput(file)
        finally:
            _flush()
            for descriptor, copy in zip((1, 2), saved, strict=True):
                os.dup2(copy, descriptor)
                os.close(copy)


def _flush() -> None:
    """Write out Python's own buffers, so that text lands where it was meant to."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
