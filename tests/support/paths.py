"""Folders that tests read: the checkout, data beside their code, models beside the checkout."""

from pathlib import Path

SUPPORT = Path(__file__).resolve().parent
TESTS = SUPPORT.parent
ROOT = TESTS.parent
"""The checkout."""

SHARED = ROOT.parent / "shared"
"""Models and data kept beside the checkout; tests that need them are skipped where they are not."""

CKERNELS = SUPPORT / "ckernels"
"""C that runs the firmware's kernels and runtime on this computer."""

INVALID = SUPPORT / "invalid"
"""Bad inputs, which its make.py writes."""

STANDINS = SUPPORT / "standins"
"""Headers and CMake files that stand for those of Arduino, ESP-IDF and Zephyr."""

FUZZ = TESTS / "fuzz"
"""The fuzz harness in C, and its corpus."""
