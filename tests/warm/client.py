"""Stand for a process of the program: hand all that a process inherits to a warm one, and end as it does.

Run as ``python -IS client.py SOCKET ARGUMENT...``: it imports next to nothing, so that it starts in no time.
"""

import json
import os
import resource
import signal
import socket
import sys

LIMITS = resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE


def main(address: str, *arguments: str) -> None:
    streams = [number for number in range(3) if is_open(number)]
    folder = os.open(".", os.O_RDONLY)  # there even where its name is gone
    given = {
        "arguments": arguments,
        "streams": streams,
        "variables": dict(os.environ),
        "limits": [(which, resource.getrlimit(which)) for which in LIMITS],
    }
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [b"."], [folder, *streams])
        connection.sendall(json.dumps(given).encode())
        connection.shutdown(socket.SHUT_WR)
        code = int(connection.recv(16))
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        signal.raise_signal(-code)
    os._exit(code)


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])
