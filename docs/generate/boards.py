"""The boards that targets/*.toml describe, and the macros that their ports take."""

import re
import tomllib
from typing import Any

from edgesq.targets import Target, list_targets
from generate.markdown import code, plain, table
from generate.places import ROOT

_DEFINE = re.compile(r'^(ESQ_\w+) = "?([^"\n#]*)"?\s*(?:# (.*))?$', re.M)


def boards() -> str:
    """Return a row for each board."""
    header = ("target", "what it is", "core", "clock", "flash", "RAM", "kernels", "runners")
    rows = [
        [
            code(one.name),
            plain(one.description),
            one.cpu,
            f"{one.clock_hz / 1_000_000:,.0f} MHz" if one.clock_hz > 1 else "",
            _size(one, "flash"),
            _size(one, "ram"),
            one.kernels,
            ", ".join(one.runners) or "none: a library",
        ]
        for one in list_targets()
    ]
    return table(header, rows)


def _size(target: Target, memory: str) -> str:
    region = target.region(memory)
    return f"{region.bytes // 1024:,} KiB" if region else ""


def defines() -> str:
    """Return the macros of each port: the first board's value, and what is said of it there."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in sorted((ROOT / "targets").glob("*.toml")):
        text = path.read_text()
        target: dict[str, Any] = tomllib.loads(text)
        for name, value, said in _DEFINE.findall(text.partition("[defines]")[2]):
            key = (target.get("port", ""), name)
            found.setdefault(key, [code(value), plain(said or ""), code(path.stem)])
    rows = [[code(port), code(name), *rest] for (port, name), rest in sorted(found.items())]
    return table(("port", "macro", "for example", "from", "of"), rows)
