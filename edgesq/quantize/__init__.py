"""Stage `quantize`."""
