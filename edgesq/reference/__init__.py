"""The readable oracle: every operator in numpy, equal to TensorFlow Lite's reference kernels.

Source: TensorFlow Lite, kernels/internal/reference. Mirror: firmware/src/ops, one file a family.
"""

from edgesq.reference.run import run, run_observed

__all__ = ["run", "run_observed"]
