"""What each function of the firmware takes in flash, by the source it comes from."""

import re
from pathlib import Path

Code = dict[str, dict[str, int]]
"""Source, as src/dsp/esq_mul_dsp.c, to function to bytes of code."""

LIBRARY = "C library"
_LINKED = "Linker script and memory map"
_FUNCTION = re.compile(
    r"^ \.(?:text(?:\.startup)?|boot)(?:\.(?P<name>\S*))?"
    r"\s+0x[0-9a-f]+\s+0x(?P<size>[0-9a-f]+) (?P<file>\S+)$",
    re.M,
)
_OURS = re.compile(r"\.dir/(?P<source>\S+)\.obj$")


def code_bytes(path: Path) -> Code:
    """Return the code in an image, from the map of its linker; what was left out does not count."""
    _, _, linked = path.read_text().partition(_LINKED)
    code: Code = {}
    for found in _FUNCTION.finditer(linked):
        size = int(found["size"], 16)
        ours = _OURS.search(found["file"])
        name = (found["name"] or "").partition(".")[0] or Path(found["file"]).name
        if size:
            functions = code.setdefault(ours["source"] if ours else LIBRARY, {})
            functions[name] = functions.get(name, 0) + size
    return code


def merged(codes: list[Code]) -> Code:
    """Return every function that any of the images of one board has."""
    everything: Code = {}
    for code in codes:
        for source, functions in code.items():
            everything.setdefault(source, {}).update(functions)
    return everything
