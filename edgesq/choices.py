"""What users choose among. Nothing heavy is imported here, so `--help` stays quick."""

from enum import Enum, StrEnum
from pathlib import Path

DEFAULT_BUILD = Path("build/edgesq")
"""The build folder where none is named."""


class Goal(Enum):
    """What a plan is best at."""

    RAM = "ram"
    SPEED = "speed"
    BALANCED = "balanced"


class Layout(StrEnum):
    """How an export is laid out; `cmake` is the firmware project, the others are libraries."""

    CMAKE = "cmake"
    C_LIBRARY = "c-library"
    ARDUINO = "arduino"
    PLATFORMIO = "platformio"
    ZEPHYR = "zephyr"
    ESP_IDF = "esp-idf"


class Runtime(Enum):
    """What computes on the board."""

    EDGESQ = "edgesq"
    TFLM = "tflm"


class Fit(Enum):
    """How images of other proportions get the model's."""

    STRETCH = "stretch"
    CROP = "crop"
    PAD = "pad"
