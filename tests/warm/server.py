"""A process that has imported the program and refined a mask, and forks: each fork goes on as ``python -m spnrefine``.

A process of the program takes a second of a core to start, most of it for imports and kernels. What forks from here has
streams, a folder, variables, limits, an exit code and an end of the interpreter of its own, and takes a fifth of that.
Run as ``python server.py SOCKET``; it ends when its standard input does.
"""

import gc
import io
import json
import os
import resource
import runpy
import select
import socket
import sys
import tempfile
from pathlib import Path


def main(address: str) -> None:
    warm_up()
    gc.collect()
    gc.freeze()  # at its end each fork looks for garbage: in pages that it would have to copy for that
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    print("ready", flush=True)
    serving: list[int] = []
    while True:
        asked, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in asked:
            return
        while serving and os.waitpid(serving[0], os.WNOHANG)[0]:
            serving.pop(0)
        connection, _ = listener.accept()
        serving.append(os.fork())
        if not serving[-1]:
            listener.close()
            serve(connection)
            return
        connection.close()


def warm_up() -> None:
    """Import what refining takes, and load its kernels, without a thread left that a fork would miss."""
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    import numpy as np
    from PIL import Image

    from spnrefine.cli import main as spnrefine

    with tempfile.TemporaryDirectory() as folder:
        pixels = np.random.default_rng(0).integers(0, 256, (80, 100, 3), np.uint8)
        Image.fromarray(pixels).save(f"{folder}/photo.png")
        Image.fromarray(np.uint8(255) * (pixels[..., 0] * 0 + np.arange(100) > 50)).save(f"{folder}/coarse.png")
        try:
            spnrefine([f"{folder}/photo.png", "--mask", f"{folder}/coarse.png", "-o", f"{folder}/refined.png"])
        except SystemExit as end:
            if end.code:
                raise
    assert "torch" not in sys.modules
    assert len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208


def serve(connection: socket.socket) -> None:
    """Start a process as the other end asks for, wait, and tell how it ended; in that process, be the program."""
    _, inherited, _, _ = socket.recv_fds(connection, 1, 4)
    given = json.loads(b"".join(iter(lambda: connection.recv(1 << 16), b"")))
    process = os.fork()
    if process:
        for number in (0, 1, 2, *inherited):
            os.close(number)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        connection.sendall(str(code).encode())
        os._exit(0)
    connection.close()
    inherit(given, *inherited)
    runpy.run_module("spnrefine", run_name="__main__", alter_sys=True)


def inherit(given: dict, folder: int, *streams: int) -> None:
    os.fchdir(folder)
    os.close(folder)
    for number in range(3):
        os.close(number)
    for number, stream in zip(given["streams"], streams, strict=True):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(given["variables"])
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        setattr(sys, name, as_at_the_start(number) if number in given["streams"] else None)
        setattr(sys, f"__{name}__", getattr(sys, name))
    sys.path[:1] = ["", *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv[1:] = given["arguments"]
    for which, limits in given["limits"]:
        resource.setrlimit(which, limits)


def as_at_the_start(number: int) -> io.TextIOWrapper:
    """Open a standard stream as the interpreter does."""
    unbuffered = number > 0 and bool(os.environ.get("PYTHONUNBUFFERED"))
    binary = open(number, "wb" if number else "rb", buffering=0 if unbuffered else -1, closefd=False)  # noqa: SIM115
    errors = "backslashreplace" if number == 2 else "strict"
    lines = number == 2 or binary.isatty()
    return io.TextIOWrapper(binary, "utf-8", errors, line_buffering=lines, write_through=unbuffered)  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])
    main(sys.argv[1])
