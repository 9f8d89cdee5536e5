"""What CMake noted in a build folder."""

import re
from pathlib import Path

_FILE = "CMakeCache.txt"
_ENTRY = re.compile(r"^([^#/\n][^:\n]*):[A-Z]+=(.*)$", re.M)


def read_cache(folder: Path) -> dict[str, str]:
    """Return the entries of a build folder's cache by name; none where there is no cache.

    Source: CMake, cmake(1), "CMake cache": KEY:TYPE=VALUE.
    """
    try:
        text = (folder / _FILE).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return {found[1]: found[2].strip() for found in _ENTRY.finditer(text)}
