"""Lay out what an ecosystem expects around a model: folders by table, files by copy.

What stands in firmware/template/FORMAT and firmware/examples is real C, CMake, YAML and JSON for a
model called `sample` and version 0.0.0; both are replaced, in paths too.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from edgesq.choices import Layout
from edgesq.project.layout import KERNEL_NOTES, RUNTIME
from edgesq.project.pack import finish_pack
from edgesq.resources import resource

_MODEL, _LINK, _LICENSE = "model", "link", "LICENSE"
"""Sources that are no folder of firmware/: generated files, the link without its `main`, and the
licence of edgesq's code, which goes where that code goes."""

_FOLDERS: dict[Layout, tuple[tuple[str, str], ...]] = {
    Layout.CMAKE: (
        ("template/cmake", "."),
        (_LICENSE, "."),
        (_MODEL, "."),
        ("examples", "classify"),
    ),
    Layout.C_LIBRARY: (
        ("template/c-library", "."),
        ("template/library", "."),
        (_LICENSE, "edgesq"),
        ("include", "edgesq/include"),
        ("src", "edgesq/src"),
        (_MODEL, "sample_model"),
        ("examples", "examples/classify"),
        (_LINK, "examples/verify/link"),
        ("ports/host", "examples/verify/port"),
    ),
    Layout.ARDUINO: (
        ("template/arduino", "."),
        ("template/library", "."),
        (_LICENSE, "edgesq"),
        ("include", "edgesq/src"),
        ("src", "edgesq/src"),
        (_MODEL, "sample_model/src"),
        ("examples", "sample_model/examples/classify"),
        (_LINK, "sample_model/examples/verify/src/link"),
    ),
    Layout.PLATFORMIO: (
        ("template/platformio", "."),
        ("template/library", "lib"),
        (_LICENSE, "lib/edgesq"),
        ("include", "lib/edgesq/include"),
        ("src", "lib/edgesq/src"),
        (_MODEL, "lib/sample_model/src"),
        ("template/arduino/sample_model/examples", "examples"),
        ("examples", "examples/classify"),
        (_LINK, "examples/verify/src/link"),
    ),
    Layout.ZEPHYR: (
        ("template/zephyr", "."),
        ("template/library", "."),
        (_LICENSE, "edgesq"),
        ("include", "edgesq/include"),
        ("src", "edgesq/src"),
        (_MODEL, "sample_model"),
        ("examples", "examples/classify/src"),
        ("examples", "examples/camera/src"),
        ("camera", "examples/camera/src"),
        (_LINK, "examples/verify/src/link"),
    ),
    Layout.ESP_IDF: (
        ("template/esp-idf", "."),
        ("template/library", "components"),
        (_LICENSE, "components/edgesq"),
        ("include", "components/edgesq/include"),
        ("src", "components/edgesq/src"),
        (_MODEL, "components/sample_model"),
        ("examples", "examples/classify/main"),
        ("examples", "examples/camera/main"),
        ("camera", "examples/camera/main"),
        (_LINK, "examples/verify/main/link"),
        ("ports/host", "examples/verify/main/linux"),
    ),
    Layout.PICO_SDK: (
        ("template/pico-sdk", "."),
        ("template/library", "."),
        (_LICENSE, "edgesq"),
        ("include", "edgesq/include"),
        ("src", "edgesq/src"),
        (_MODEL, "sample_model"),
        ("examples", "examples/classify"),
        (_LINK, "examples/verify/link"),
    ),
    Layout.CMSIS_PACK: (
        ("template/cmsis-pack", "."),
        ("template/library", "."),
        (_LICENSE, "edgesq"),
        ("include", "edgesq/include"),
        ("src", "edgesq/src"),
        (_MODEL, "sample_model"),
        ("examples", "examples/classify"),
        (_LINK, "examples/verify/link"),
        ("ports/common/ring.c", "examples/verify/port"),
        ("ports/common/ring.h", "examples/verify/port"),
        ("ports/cortex_m/cortex_m.h", "examples/verify/port"),
        ("ports/cortex_m/cycles.c", "examples/verify/port"),
    ),
}
"""From a folder or file of firmware/ to a folder of the format."""

_APP, _OWN_MAIN, _APP_MODEL = "app", "main.c", "model_data.h"


def lay_out_library(
    folder: Path,
    layout: Layout,
    files: Mapping[str, str],
    name: str,
    version: str,
    kernels: str,
) -> None:
    """Write the library into `folder`; of `cmake` what `lay_out` does not: the example.

    Args:
        folder: made if missing.
        layout: which ecosystem's.
        files: generated text, name to content: the model's own files and model_data.h.
        name: what the model's C names begin with.
        version: of the runtime, three numbers.
        kernels: family that the model's data are for.
    """
    for source, target in _FOLDERS[layout]:
        for path, text in _generated(source, files):
            _write(folder / _named(target, name, version) / path, text)
        for path, text in _copied(source):
            place = folder / _named(f"{target}/{path}", name, version)
            _write(place, _named(text, name, version))
    if layout is Layout.CMSIS_PACK:
        finish_pack(folder, name, kernels)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _generated(source: str, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield path and content of the generated files in a source of the table."""
    for path, text in files.items():
        if source == (_LINK if path == _APP_MODEL else _MODEL):
            yield path, text


def _copied(source: str) -> Iterator[tuple[str, str]]:
    """Yield path and content of what is copied from firmware/ for a source of the table."""
    if source == _MODEL:
        return
    if source == _LICENSE:
        yield source, resource(source).read_text()
        return
    root = resource("firmware") / (_APP if source == _LINK else source)
    left_out = {_LINK: _OWN_MAIN}.get(source, KERNEL_NOTES if source in RUNTIME else None)
    above = root.parent if root.is_file() else root
    for path in [root] if root.is_file() else sorted(root.rglob("*")):
        if path.is_file() and path.name != left_out:
            yield path.relative_to(above).as_posix(), path.read_text()


def _named(text: str, name: str, version: str) -> str:
    text = re.sub(r"sample(?=_)", name, text)
    return re.sub(r"SAMPLE(?=_)", name.upper(), text).replace("0.0.0", version)
