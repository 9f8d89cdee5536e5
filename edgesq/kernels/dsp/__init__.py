"""Kernels on the DSP extension of Armv7E-M and Armv8-M: two 16-bit lanes per instruction."""
