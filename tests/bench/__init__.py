"""Memory and instructions of real networks on emulated boards, next to TensorFlow Lite Micro's.

Run by `make bench`. Not a test: it measures, and says where a goal is missed.
"""

from edgesq.quantize import captured_output

with captured_output():  # what TensorFlow says when it is first imported
    import keras  # noqa: F401
