"""What CMake noted in a build folder."""

import re
from pathlib import Path

from edgesq.files import read_text

_FILE = "CMakeCache.txt"
_ENTRY = re.compile(r"^([^#/\n][^:\n]*):[A-Z]+=(.*)$", re.M)


def read_cache(folder: Path) -> dict[str, str]:
    """Return the entries of a build folder's cache by name; none where there is no cache.

    Source: CMake, cmake(1), "CMake cache": KEY:TYPE=VALUE.
    """
    try:
        text = read_text(folder / _FILE)
    except (OSError, ValueError):  # ValueError: a zero byte in the path
        return {}
    return {found[1]: found[2].strip() for found in _ENTRY.finditer(text)}
