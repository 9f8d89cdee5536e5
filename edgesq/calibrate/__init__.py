"""Read calibration images; say how pixels become the input, and outputs become a class.

No TensorFlow here: `verify` and `flash` use it too.
"""

from edgesq.calibrate.audit import AuditRow, audit_images
from edgesq.calibrate.choose import changes, spread
from edgesq.calibrate.classes import Classes, check_count, read_classes
from edgesq.calibrate.folder import ImageFiles, ImageSet, load_folder, open_folder
from edgesq.calibrate.image import fit_image, read_image
from edgesq.calibrate.inputs import (
    InputArrays,
    Wanted,
    has_arrays,
    levels,
    plain_name,
    read_inputs,
    wanted_of,
)
from edgesq.calibrate.judge import Judge, Judged, judge_of, judged_by, probable_order
from edgesq.calibrate.masks import NpzMasks, has_masks, read_mask
from edgesq.calibrate.npz import NpzImages, open_npz
from edgesq.calibrate.preprocessing import Fit, Preprocessing, Resize
from edgesq.calibrate.sheet import Sheet, Shown, cut, make_sheet

__all__ = [
    "AuditRow",
    "Classes",
    "Fit",
    "ImageFiles",
    "ImageSet",
    "InputArrays",
    "Judge",
    "Judged",
    "NpzImages",
    "NpzMasks",
    "Preprocessing",
    "Resize",
    "Sheet",
    "Shown",
    "Wanted",
    "audit_images",
    "changes",
    "check_count",
    "cut",
    "fit_image",
    "has_arrays",
    "has_masks",
    "judge_of",
    "judged_by",
    "levels",
    "load_folder",
    "make_sheet",
    "open_folder",
    "open_npz",
    "plain_name",
    "probable_order",
    "read_classes",
    "read_image",
    "read_inputs",
    "read_mask",
    "spread",
    "wanted_of",
]
