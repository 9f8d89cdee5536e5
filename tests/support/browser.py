"""Open pages in a browser, where there is one."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

CHROMIUM = shutil.which("chromium")

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def browse(path: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Open a page; what it says on its console is on stderr, lines with CONSOLE."""
    assert CHROMIUM is not None
    fixed = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
    profile = f"--user-data-dir={path.parent / 'profile'}"
    return subprocess.run(
        [CHROMIUM, *fixed, profile, "--enable-logging=stderr", *options, path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


def picture_of(path: Path, *options: str) -> NDArray[np.uint8]:
    """Return what a page looks like, uint8 [H, W, 3]."""
    shot = path.with_suffix(".png")
    browse(path, f"--screenshot={shot}", "--window-size=1000,900", *options)
    return np.asarray(Image.open(shot).convert("RGB"))


def width_on_a_phone(path: Path) -> tuple[int, int]:
    """Return how wide a page is on a screen of 360 pixels, and how wide that screen is.

    The browser's own windows are wider, so the page is shown in a frame.
    """
    script = (
        "parent.document.body.dataset.widths ="
        "document.documentElement.scrollWidth + ' of ' + innerWidth"
    )
    text = re.sub(r"<meta http-equiv[^>]*>", "", path.read_text())
    inside = text.replace("</body>", f"<script>{script}</script></body>").replace("&", "&amp;")
    frame = path.with_name("phone.html")
    quoted = inside.replace('"', "&quot;")
    frame.write_text(f'<body><iframe width="360" height="700" srcdoc="{quoted}"></iframe></body>')
    found = re.search(r'data-widths="(\d+) of (\d+)"', browse(frame, "--dump-dom").stdout)
    assert found
    return int(found[1]), int(found[2])


def check_alone(text: str) -> None:
    """Hold that a page needs nothing but itself: no address, no script, no other file."""
    assert re.findall(r"https?:", text, re.IGNORECASE) == []
    sources = re.findall(r"\b(?:src|href|srcset|data|action)\s*=\s*\"([^\"]*)", text)
    assert all(source.startswith("data:") for source in sources)
    assert re.findall(r"<script|@import|url\(|<iframe|<object|<embed", text) == []
    assert "default-src 'none'" in text
