"""ONNX: the exact integer model, QDQ, the float model by tf2onnx, and a way to run them."""

from edgesq.extras import require

require("onnx", "onnxruntime")

from edgesq.formats.onnx.float_model import float_onnx
from edgesq.formats.onnx.integer import integer_onnx
from edgesq.formats.onnx.qdq import qdq_onnx
from edgesq.formats.onnx.run import onnx_bytes, onnx_session, run_onnx

__all__ = ["float_onnx", "integer_onnx", "onnx_bytes", "onnx_session", "qdq_onnx", "run_onnx"]
