"""Kernels for cores that multiply one pair of numbers at a time: M0, M0+, M3, RISC-V, Xtensa."""
