"""Kernels on MVE (Helium), the vector extension of Armv8.1-M: 16 bytes per instruction."""
