"""What processes beside the line can be made to do in tests."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from edgesq.errors import ImageError, ModelError
from edgesq.graph import Int8Array
from edgesq.verify.tally import Expected
from edgesq.verify.workers import Expect

SLOW, DIE, LEAVE, REFUSE, BUG, CHATTER = range(10, 16)
"""First pixels that an image tells a process what to do by; others are only added up."""

NAP_S = 0.3


def expect(image: Int8Array) -> list[Expected]:
    """Return the sum of an image, and the process that computed it."""
    total = int(image.astype(int).sum())
    return [(np.array([total]), np.array([os.getpid()]))]


def obeying(folder: Path) -> Expect:
    """Return what does as the first pixel says, and leaves its pid in a folder."""
    (folder / str(os.getpid())).touch()

    def obey(image: Int8Array) -> list[Expected]:
        order = int(image.flat[0])
        if order == SLOW:
            time.sleep(NAP_S)
        elif order == DIE:
            os.kill(os.getpid(), signal.SIGKILL)
        elif order == LEAVE:
            os.write(2, b"no memory left\n")
            os._exit(7)
        elif order == REFUSE:
            raise ImageError("is too dark", where="image 3", hint="brighten it")
        elif order == BUG:
            raise LookupError("a bug of ours")
        elif order == CHATTER:
            os.write(1, b"Created delegate\n")
        return expect(image)

    return obey


def refusing() -> Expect:
    """Refuse, as where the model is another one."""
    raise ModelError("is another model than at the start", where="model.tflite")
