"""The table of kernel families; a new one is a row here, a module beside it and a folder of C."""

from edgesq.kernels.dsp.family import DSP
from edgesq.kernels.family import ANY_CORE, Family
from edgesq.kernels.fused import fused
from edgesq.kernels.mve.family import MVE
from edgesq.kernels.phased import phased
from edgesq.kernels.portable import PORTABLE
from edgesq.kernels.scalar.family import SCALAR

FAMILIES: dict[str, Family] = {
    family.name: fused(phased(family)) for family in (PORTABLE, SCALAR, DSP, MVE)
}
"""By name, each faster than the one before."""


def families_of(fastest: str) -> tuple[str, ...]:
    """Return the families that a core runs, by the name of the fastest that it does."""
    names = tuple(FAMILIES)
    slower = names[: names.index(fastest) + 1]
    return tuple(name for name in names if name in slower or FAMILIES[name].core_has == ANY_CORE)
