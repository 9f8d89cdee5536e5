"""`python -m generate.pictures`: the pictures in docs/assets that show a real run of the demo.

The demo is exported, flashed to the emulated board and verified; what the commands print becomes
demo-terminal.svg, the pages that they write are photographed in chromium.
"""

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.text import Text

ASSETS = Path(__file__).parents[1] / "assets"

_COLUMNS = 106
_WIDTH, _HEIGHT = 1100, 1250
"""Of a photograph, in pixels."""

_COLOURS = 96
"""In a photograph: so many are enough for pages, and its file stays small."""

_SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font: {char_height}px/{line_height}px ui-monospace, Menlo, Consolas, monospace;
}}
.{unique_id}-title {{ font: bold 18px system-ui, sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""
"""rich's own template fetches a font."""


def main() -> None:
    """Run the demo and draw."""
    with tempfile.TemporaryDirectory(prefix="edgesq-") as scratch:
        page = Path(scratch) / "verify.html"
        try:
            said = [
                _said(scratch, "export", "--target", "cortex-m", shown=(9, 1)),
                _said(scratch, "flash", shown=(1, 0)),
                _said(scratch, "verify", "--count", "100", "--html", str(page), shown=(28, 1)),
            ]
        finally:
            _said(scratch, "flash", "--stop")
        _draw("\n\n".join(said))
        _photograph(page, "verify-page.png")
        _photograph(Path(scratch) / "build" / "edgesq" / "report.html", "export-page.png")


def _said(folder: str, *arguments: str, shown: tuple[int, int] | None = None) -> str:
    """Run a command; return it and what it printed, cut to the first and the last lines."""
    shell = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(_COLUMNS)}
    command = [sys.executable, "-m", "edgesq", *arguments]
    printed = subprocess.run(
        command, cwd=folder, env=shell, check=True, capture_output=True, text=True
    ).stdout
    lines = printed.rstrip().splitlines()
    first, last = shown or (len(lines), 0)
    kept = (
        lines if first + last >= len(lines) else [*lines[:first], "…", *lines[len(lines) - last :]]
    )
    words = " ".join(word for word in arguments if not word.startswith(("/", "--html")))
    return "\n".join([f"\x1b[1;36m$\x1b[0m \x1b[1medgesq {words}\x1b[0m", *kept])


def _draw(said: str) -> None:
    console = Console(record=True, width=_COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi(said))
    text = console.export_svg(title="edgesq", code_format=_SVG, unique_id="demo")
    (ASSETS / "demo-terminal.svg").write_text(text, encoding="utf-8")


def _photograph(page: Path, name: str) -> None:
    shot = page.with_suffix(".png")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += [f"--user-data-dir={page.parent / 'profile'}", f"--screenshot={shot}"]
    command += [f"--window-size={_WIDTH},{_HEIGHT}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    picture = Image.open(shot).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    picture.save(ASSETS / name, optimize=True)


if __name__ == "__main__":
    main()
