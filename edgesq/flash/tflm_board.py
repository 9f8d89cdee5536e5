"""The board `tflm-host`: the firmware's link in this process, TensorFlow Lite Micro behind it.

    python -m edgesq.flash.tflm_board LIBRARY MODEL.tflite

stdin and stdout are the serial line. Mirror: firmware/tflm/host.c.
"""

import ctypes
import signal
import sys
from pathlib import Path

import numpy as np

from edgesq.formats.tflm import TflmInterpreter

_Invoke = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


def serve(library: Path, model: Path) -> None:
    """Run the firmware in `library` with the real interpreter; return when stdin is closed.

    Raises:
        MissingExtraError, ModelError: tflite-micro is missing, or cannot run the model.
    """
    interpreter = TflmInterpreter(model.read_bytes())
    firmware = ctypes.CDLL(str(library))

    def compute(image: int, output: int) -> int:
        values = np.ascontiguousarray(interpreter.run(ctypes.string_at(image, size)))
        ctypes.memmove(output, values.ctypes.data, values.nbytes)
        return 0

    size = interpreter.input_bytes
    invoke = _Invoke(compute)  # kept until main returns
    pointer = ctypes.c_void_p.in_dll(firmware, "esq_host_invoke")
    pointer.value = ctypes.cast(invoke, ctypes.c_void_p).value
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    firmware.main()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
