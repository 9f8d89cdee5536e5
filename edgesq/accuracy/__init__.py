"""How right a model is, what int8 costs, and which layer costs most."""

from edgesq.accuracy.evaluate import AccuracyReport, evaluate
from edgesq.accuracy.score import Share, share

__all__ = ["AccuracyReport", "Share", "evaluate", "share"]
