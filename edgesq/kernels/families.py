"""The table of kernel families; a new one is a row here, a module beside it and a folder of C."""

from edgesq.kernels.dsp.family import DSP
from edgesq.kernels.family import Family
from edgesq.kernels.mve.family import MVE
from edgesq.kernels.portable import PORTABLE
from edgesq.kernels.scalar.family import SCALAR

FAMILIES: dict[str, Family] = {family.name: family for family in (PORTABLE, SCALAR, DSP, MVE)}
"""By name, each faster than the one before."""
