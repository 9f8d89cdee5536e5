"""Memory and instructions of real networks on emulated boards, next to TensorFlow Lite Micro's.

Run by `make bench`. Not a test: it measures, and says where a goal is missed.
"""
