"""What a SqueezeNet is made of: versions, bypasses, the paper's metaparameters; without Keras.

Source: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016,
sections 3, 5 and 6, and the v1.1 release notes of its authors.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from edgesq.errors import ModelError

Bypass = Literal["none", "simple", "complex"]
Shape = tuple[int, int, int]

FIRE_MODULES = 8
"""fire2 to fire9."""


@dataclass(frozen=True)
class FireWidths:
    """Channels of one Fire module: squeeze 1x1, then expand 1x1 beside expand 3x3."""

    squeeze: int
    expand_1x1: int
    expand_3x3: int

    @property
    def out(self) -> int:
        """Channels of the concatenated output."""
        return self.expand_1x1 + self.expand_3x3


@dataclass(frozen=True)
class Metaparameters:
    """The paper's description of all Fire modules at once (section 5.1).

    Attributes:
        base_e: expand filters of the first Fire module.
        incr_e: expand filters added after every `freq` modules.
        freq: modules of equal width, at least 1.
        pct_3x3: share of the expand filters that are 3x3, in (0, 1).
        squeeze_ratio: squeeze filters per expand filter, in (0, 1].
    """

    base_e: int = 128
    incr_e: int = 128
    freq: int = 2
    pct_3x3: float = 0.5
    squeeze_ratio: float = 0.125

    def fire(self, index: int) -> FireWidths:
        """Return the widths of Fire module `index`, counted from 0 (which is fire2).

        Raises:
            ModelError: a width would be below 1.
        """
        expand = self.base_e + self.incr_e * (index // max(1, self.freq))
        expand_3x3 = round(expand * self.pct_3x3)
        widths = FireWidths(round(expand * self.squeeze_ratio), expand - expand_3x3, expand_3x3)
        if min(widths.squeeze, widths.expand_1x1, widths.expand_3x3) < 1:
            raise ModelError(
                f"{self} leaves fire{index + 2} without filters",
                hint="raise base_e or squeeze_ratio, and keep pct_3x3 between 0 and 1",
            )
        return widths


@dataclass(frozen=True)
class Layout:
    """What differs between the versions.

    Attributes:
        name: of the Keras model.
        conv1_filters: channels of conv1.
        conv1_size: its kernel is this many pixels high and wide.
        pools_after: numbers of the layers (1 = conv1, 2 = fire2 ...) that a max pool follows.
        conv1_stride: 2, without padding; or 1, padded: for images of some 32 pixels.
    """

    name: str
    conv1_filters: int
    conv1_size: int
    pools_after: frozenset[int]
    conv1_stride: int = 2


V1_0 = Layout("squeezenet_v1_0", 96, 7, frozenset({1, 4, 8}))
V1_1 = Layout("squeezenet_v1_1", 64, 3, frozenset({1, 3, 5}))
V1_1_SMALL = Layout("squeezenet_v1_1_small", 32, 3, frozenset({1, 3, 5}), conv1_stride=1)
"""Ours, not the authors': v1.1 that sees every pixel of a small image."""


def check(layout: Layout, input_shape: Shape, classes: int, bypass: str) -> None:
    """Raise ModelError for arguments that no network can be built from."""
    if min(input_shape[:2]) < layout.conv1_size or min(input_shape[2], classes) < 1:
        raise ModelError(
            f"input {input_shape} with {classes} classes cannot be built",
            where=layout.name,
            hint=f"the input must be at least {layout.conv1_size} pixels high and wide",
        )
    if bypass not in get_args(Bypass):
        raise ModelError(
            f"no bypass is called {bypass}", where=layout.name, hint=" | ".join(get_args(Bypass))
        )
