"""How right a model is, what int8 costs, and which layer costs most."""

from edgesq.accuracy.evaluate import AccuracyReport, check_is_classifier, evaluate
from edgesq.accuracy.score import Share, share

__all__ = ["AccuracyReport", "Share", "check_is_classifier", "evaluate", "share"]
