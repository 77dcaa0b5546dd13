"""NVIDIA's run-time compiler as a program: CUDA C++ on standard input, machine code on standard output.

``compiling`` runs it in a process of its own. In one that holds torch's CUDA libraries the compiler has been seen to
crash (NVRTC 13.0 once cuSPARSELt 0.8 is loaded), and so several units compile at once. Imports nothing of the package.
"""

import importlib
import sys


def main(options: list[str]) -> int:
    """Compile with ``options``; what the compiler has to say goes to standard error."""
    try:
        nvrtc = importlib.import_module("cuda.bindings.nvrtc")
        nvrtc.nvrtcVersion()  # loads the library
    except (ImportError, RuntimeError) as missing:
        sys.stderr.write(f"NVIDIA's run-time compiler is missing: {missing}")
        return 2
    source = sys.stdin.buffer.read()
    program = _checked(nvrtc.nvrtcCreateProgram(source, b"spnrefine.cu", 0, [], []))
    (error,) = nvrtc.nvrtcCompileProgram(program, len(options), [option.encode() for option in options])
    log = bytes(_checked(nvrtc.nvrtcGetProgramLogSize(program)) + 8)  # filled in place: must be no shared constant
    _checked(nvrtc.nvrtcGetProgramLog(program, log))
    sys.stderr.write(log.rstrip(b"\0 \n").decode(errors="replace"))
    if error.value:
        sys.stderr.write(f" {error.name}")
        return 1
    code = bytes(_checked(nvrtc.nvrtcGetCUBINSize(program)))
    _checked(nvrtc.nvrtcGetCUBIN(program, code))
    sys.stdout.buffer.write(code)
    return 0


def _checked(result: tuple):
    """Return what a call returned besides its error."""
    error, *values = result
    if error.value:
        raise RuntimeError(f"NVRTC failed: {error.name}")
    return values[0] if values else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
