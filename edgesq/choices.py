"""What users choose among. Nothing heavy is imported here, so `--help` stays quick."""

from enum import Enum, StrEnum


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
