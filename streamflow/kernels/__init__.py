"""The ground floor of machine code: compiling, and what several kernels share."""
