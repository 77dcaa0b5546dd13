"""The propagation on the CPU: ``scans`` takes NumPy arrays and imports no torch, ``tensors`` takes tensors."""
