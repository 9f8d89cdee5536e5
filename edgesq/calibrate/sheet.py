"""A contact sheet of calibration images: a sample, and those that the audit finds wrong."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from edgesq.calibrate.audit import AuditRow
from edgesq.calibrate.choose import spread
from edgesq.calibrate.folder import ImageSet
from edgesq.errors import ImageError, printable
from edgesq.integers import ceil_div
from edgesq.records import Count

CELL, COLUMNS = 72, 8
"""Sides of a cell, in pixels, and cells beside each other."""

MAX_WRONG, SAMPLE = 24, 12
"""Images on a sheet: those found wrong, and others."""

_SHEET_QUALITY, _CELL_QUALITY = 88, 80


@dataclass(frozen=True)
class Shown:
    """A cell of the sheet.

    Attributes:
        number: of the image in its set.
        name: of its file, with its class folder.
    """

    number: Count
    name: str


@dataclass(frozen=True, eq=False)
class Sheet:
    """A contact sheet.

    Attributes:
        cells: from left to right, from the top down.
        jpeg: the picture.
    """

    cells: tuple[Shown, ...]
    jpeg: bytes


def make_sheet(images: ImageSet, audit: Sequence[AuditRow] = ()) -> Sheet:
    """Return the contact sheet of a set; small images are enlarged by a whole number.

    Args:
        images: the set.
        audit: what was found of it.
    """
    wrong = list(dict.fromkeys(number for row in audit for number in row.images))[:MAX_WRONG]
    sample = spread(images.labels, len(images.images), SAMPLE).tolist()
    numbers = list(dict.fromkeys([*wrong, *sample]))
    sheet = Image.new("RGB", _size(len(numbers)))
    for place, number in enumerate(numbers):
        pixels = images.images[number]
        cell = Image.fromarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0]).convert("RGB")
        times = CELL // max(cell.size)
        if times > 1:
            cell = cell.resize((times * cell.width, times * cell.height), Image.Resampling.NEAREST)
        cell.thumbnail((CELL, CELL), Image.Resampling.BOX)
        left, top = _corner(place)
        sheet.paste(cell, (left + (CELL - cell.width) // 2, top + (CELL - cell.height) // 2))
    shown = tuple(Shown(number, _name(images, number)) for number in numbers)
    return Sheet(shown, _jpeg(sheet, _SHEET_QUALITY))


def cut(jpeg: bytes, count: int) -> tuple[str, ...]:
    """Return the cells of a sheet, each as a data: URL.

    Args:
        jpeg: the picture; it may be anybody's.
        count: cells on it.

    Raises:
        ImageError: it is no such sheet.
    """
    try:
        sheet = Image.open(io.BytesIO(jpeg), formats=["JPEG"])
        if sheet.size != _size(count):
            raise ValueError("has another size than its cells")
        pixels = np.asarray(sheet.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise ImageError(f"is no sheet of {count} images: {error}", hint="export again") from error
    cells = (_corner(place) for place in range(count))
    return tuple(_url(pixels[top : top + CELL, left : left + CELL]) for left, top in cells)


def _size(count: int) -> tuple[int, int]:
    return COLUMNS * CELL, max(ceil_div(count, COLUMNS), 1) * CELL


def _corner(place: int) -> tuple[int, int]:
    return place % COLUMNS * CELL, place // COLUMNS * CELL


def _name(images: ImageSet, number: int) -> str:
    file = images.files[number]
    return printable(file.name if images.labels is None else f"{file.parent.name}/{file.name}")


def _url(cell: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> str:
    content = _jpeg(Image.fromarray(cell), _CELL_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


def _jpeg(image: Image.Image, quality: int) -> bytes:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=quality)
    return content.getvalue()
