"""What users choose among. Nothing heavy is imported here, so `--help` stays quick."""

from enum import Enum, StrEnum
from pathlib import Path

DEFAULT_BUILD = Path("build/edgesq")
"""The build folder where none is named."""

DEFAULT_STUDY = Path("build/search")
"""The folder of a study where none is named."""

DEFAULT_TARGET = "cortex-m"
"""The board where none is named."""

MAX_DROP_POINTS = 2.0
"""Points of top-1 that compressing may lose where nobody says another number."""


class Goal(Enum):
    """What a plan is best at."""

    RAM = "ram"
    SPEED = "speed"
    BALANCED = "balanced"


class Activations(StrEnum):
    """What a float model's activations become; weights are int8."""

    INT8 = "int8"
    INT16 = "int16"


class Layout(StrEnum):
    """How an export is laid out; `cmake` is the firmware project, the others are libraries."""

    CMAKE = "cmake"
    C_LIBRARY = "c-library"
    ARDUINO = "arduino"
    PLATFORMIO = "platformio"
    ZEPHYR = "zephyr"
    ESP_IDF = "esp-idf"
    PICO_SDK = "pico-sdk"
    CMSIS_PACK = "cmsis-pack"


class Runtime(Enum):
    """What computes on the board."""

    EDGESQ = "edgesq"
    TFLM = "tflm"


class Fit(Enum):
    """How images of other proportions get the model's."""

    STRETCH = "stretch"
    CROP = "crop"
    PAD = "pad"
