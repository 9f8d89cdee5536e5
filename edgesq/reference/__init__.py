"""The readable oracle: every operator in numpy, equal to TensorFlow Lite's reference kernels.

Source: TensorFlow Lite, kernels/internal/reference. Mirror: firmware/src/ops, one file a family.
"""

from edgesq.reference.conv import (
    conv2d_sums,
    conv2d_windows,
    convolution_sums,
    depthwise_sums,
    depthwise_windows,
    grouped_sums,
    grouped_windows,
)
from edgesq.reference.run import SequenceRun, run, run_observed
from edgesq.reference.sequence import Memory

__all__ = [
    "Memory",
    "SequenceRun",
    "conv2d_sums",
    "conv2d_windows",
    "convolution_sums",
    "depthwise_sums",
    "depthwise_windows",
    "grouped_sums",
    "grouped_windows",
    "run",
    "run_observed",
]
