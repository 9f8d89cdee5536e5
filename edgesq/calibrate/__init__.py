"""Read images and calibration folders, and say how pixels become the model's input.

No TensorFlow here: `verify` and `flash` use it too.
"""

from edgesq.calibrate.audit import AuditRow, audit_images
from edgesq.calibrate.folder import ImageFiles, ImageSet, load_folder, open_folder
from edgesq.calibrate.image import read_image
from edgesq.calibrate.npz import NpzImages, open_npz
from edgesq.calibrate.preprocessing import Preprocessing

__all__ = [
    "AuditRow",
    "ImageFiles",
    "ImageSet",
    "NpzImages",
    "Preprocessing",
    "audit_images",
    "load_folder",
    "open_folder",
    "open_npz",
    "read_image",
]
