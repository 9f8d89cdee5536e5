"""Take away what only POSIX systems have; on PYTHONPATH, for every Python that a test starts.

pyserial is loaded first: on such a system another part of it would be at work.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType

GONE = ("fcntl", "pty", "termios", "tty")


class Gone:
    """A finder that refuses what is gone."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> None:
        if name in GONE:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


importlib.import_module("serial.urlhandler.protocol_socket")
for name in GONE:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Gone())
del os.setsid, os.openpty
