"""What the kernels take in instructions for each thing they do; fitted to the emulated boards.

The names are those of `counts.py`, the `portable` ones of a Cortex-M3. `make bench
BENCH=--estimates` shows how far off they are.
"""

CONVOLUTIONS: dict[str, dict[str, float]] = {
    "portable CONV_2D": {"macs": 6.0, "taps": 15.1, "values": 80.5, "window rows": 6.4},
    "portable FULLY_CONNECTED": {"macs": 6.0, "values": 94.3},
    "portable DEPTHWISE_CONV_2D": {"macs": 9.7, "values": 78.4},
    "portable DEPTHWISE_CONV_2D, four channels": {
        "macs": 5.6,
        "values": 52.9,
        "window rows": 2.0,
        "pixels": 58.0,
    },
    "dsp DEPTHWISE_CONV_2D": {"runs": 113.0, "pairs": 104.0, "beside": 4.1, "exact": 44.3},
    "dsp sums": {"exact": 24.9, "exact runs": 48.6, "once": 56.6},
    "mve CONV_2D": {
        "loops": 1.0,
        "quads": 31.4,
        "exact": 10.1,
        "once": 61.6,
        "rows": 115.0,
        "runs": 75.0,
        "gathered": 3.4,
        "window rows": 22.6,
    },
    "mve DEPTHWISE_CONV_2D": {
        "columns": 6.2,
        "loads": 7.2,
        "products": 2.9,
        "exact": 3.3,
        "strips": 330.0,
        "runs": 130.0,
    },
}
"""By kernel family and operator."""

_ADDED = {"portable": 68.8, "dsp": 15.5, "mve": 10.9}
_TABLE = {"portable": 4.2, "dsp": 4.2, "mve": 1.2}

VALUES: dict[str, dict[str, dict[str, float]]] = {
    "ADD": {family: {"out": rate} for family, rate in _ADDED.items()},
    "SUB": {family: {"out": rate} for family, rate in _ADDED.items()},
    "MUL": {"portable": {"out": 31.3}, "dsp": {"out": 13.5}, "mve": {"out": 4.4}},
    "by a constant": {"portable": {"out": 19.9}, "dsp": {"out": 5.5}, "mve": {"out": 5.3}},
    "a table": {family: {"out": rate} for family, rate in _TABLE.items()},
    "MAX_POOL_2D": {"portable": {"in": 18.3}, "dsp": {"in": 3.75}, "mve": {"in": 1.0}},
    "AVERAGE_POOL_2D": {
        "portable": {"taps": 8.0, "out": 38.0},
        "dsp": {"taps": 2.1, "out": 17.0},
        "mve": {"taps": 1.3, "out": 38.0},
    },
    "a sum of the map": {
        "portable": {"in": 6.0, "out": 38.0},
        "dsp": {"in": 2.1, "out": 36.0, "calls": 600.0},
        "mve": {"in": 1.3, "out": 38.0},
    },
    "SOFTMAX": {family: {"out": 43.0, "calls": 300.0} for family in ("portable", "dsp", "mve")},
    "a move": {family: {"out": 3.0} for family in ("portable", "dsp", "mve")},
}
"""Of operators without weights, by kernel family; per value in and out."""
