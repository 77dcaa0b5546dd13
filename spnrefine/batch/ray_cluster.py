"""A cluster of Ray: joined, or started on this machine, and how many workers there is room for."""

import os
import secrets
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spnrefine.errors import BackendError, MissingExtraError

OWN = {
    "RAY_USAGE_STATS_ENABLED": "0",  # else it tells its makers how it is used
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # binds to this machine's loopback address
    "RAY_AUTH_MODE": "token",
}
"""What Ray is told on this machine, unless the environment says otherwise."""

MOST_OF_A_SOCKET = 103 if sys.platform == "darwin" else 107
"""Bytes of the longest path that a socket of Unix may have."""

MOST_OF_A_FOLDER = MOST_OF_A_SOCKET - len("/ray/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store")
"""Bytes of the longest folder in which Ray can keep its own: a session is named by the time and its process."""

_SHORT = Path("/tmp")


@dataclass(frozen=True)
class Share:
    """What of a node's resources each worker holds."""

    cpus: float = 1.0
    gpus: float = 0.0

    def room(self, node: dict[str, float]) -> int:
        """Return how many workers fit on a node with these resources."""
        fits = [node.get(name, 0) / share for name, share in (("CPU", self.cpus), ("GPU", self.gpus)) if share]
        return int(min(fits) + 1e-9)  # Ray counts in ten-thousandths

    def __str__(self) -> str:
        return f"{self.cpus:g} CPUs" + (f" and {self.gpus:g} GPUs" if self.gpus else "")


def connect(address: str | None) -> Any:
    """Join the cluster at ``address``, or start one on this machine for None; return the module ``ray``.

    A cluster of this machine's own listens on the loopback address alone, to those who know a token that is made for it
    and is in no file.

    Raises
    ------
    MissingExtraError
        Ray is not installed.
    BackendError
        There is no such cluster, or none can be started.
    """
    if find_spec("ray") is None:
        raise MissingExtraError("--engine ray needs Ray: pip install 'spnrefine[ray]'.")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", OWN["RAY_USAGE_STATS_ENABLED"])
    if address is not None:
        os.environ.setdefault(
            "RAY_gcs_server_port_wait_time_s", "2"
        )  # tries to reach it, of half a minute; else twenty
    own = _own() if address is None else {}
    import ray

    if address is not None:
        reach(ray, address)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        ray.init(address=address or "local", log_to_driver=False, logging_level="error", **own)
    except Exception as error:  # of many kinds
        what = str(error).strip().partition("\n")[0].rstrip(". ")  # what follows are whole tracebacks
        if address is None:
            raise BackendError(
                f"No Ray cluster can be started on this machine ({what}): see {own['_temp_dir']}."
            ) from error
        raise _unreachable(address, what) from error
    finally:
        if threading.current_thread() is threading.main_thread():  # Ray sets its own, which end the program at once
            for number, handler in handlers.items():
                signal.signal(number, handler)
    _keep_off_stdout()
    return ray


def _own() -> dict[str, Any]:
    """Prepare the environment for a cluster of this machine's own; return how it is started."""
    for name, value in OWN.items():
        os.environ.setdefault(name, value)
    if os.environ["RAY_AUTH_MODE"] == "token" and "RAY_AUTH_TOKEN_PATH" not in os.environ:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    return {"include_dashboard": False, "_temp_dir": str(session_folder() / "ray")}


def reach(ray: Any, address: str) -> None:
    """See that somebody listens at HOST:PORT: Ray tries for minutes, and says nothing meanwhile.

    Raises
    ------
    BackendError
        Nobody does.
    """
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():  # auto, and Ray's other forms
        return
    hosts = [host.strip("[]")]
    if hosts[0] in ("127.0.0.1", "localhost", "::1"):  # which Ray takes for the address that it binds to by default
        hosts.append(ray.util.get_node_ip_address())
    for each in hosts:
        try:
            socket.create_connection((each, int(port)), timeout=10).close()
        except (OSError, OverflowError) as error:
            failure = error
        else:
            return
    raise _unreachable(address, getattr(failure, "strerror", None) or str(failure)) from failure


def _unreachable(address: str, what: str) -> BackendError:
    return BackendError(
        f"The Ray cluster at {address} cannot be reached ({what}): check the address, or start it anew."
    )


def session_folder() -> Path:
    """Return where a cluster of this machine's own keeps its sockets and logs: ``RAY_TMPDIR``, ``TMPDIR``, or ``/tmp``.

    Sockets have short paths, so a ``TMPDIR`` that is too long for them is passed over.

    Raises
    ------
    BackendError
        There is none that is short enough.
    """
    name = next((name for name in ("RAY_TMPDIR", "TMPDIR") if os.environ.get(name)), None)
    folder = _SHORT if name is None else Path(os.path.abspath(os.environ[name]))  # noqa: PTH100 -- links may be short
    if len(os.fsencode(folder)) <= MOST_OF_A_FOLDER:
        return folder
    if name == "TMPDIR" and os.access(_SHORT, os.W_OK | os.X_OK):
        return _SHORT
    raise BackendError(
        f"{name} is too long for the sockets of a Ray cluster ({folder}): give a folder of at most {MOST_OF_A_FOLDER} "
        "bytes as RAY_TMPDIR."
    )


def _keep_off_stdout() -> None:
    """Have Ray not print what it says of workers that ended to standard output, where the records may go.

    It does so whatever ``log_to_driver`` says, and has no public setting for it.
    """
    import ray._private.worker as own

    own._worker_logs_enabled = False


def count_workers(ray: Any, asked: int | None, share: Share) -> int:
    """Return how many workers to start: as many as were asked for, or as there is room for.

    Raises
    ------
    BackendError
        There is no room for so many: Ray would wait for more nodes, and say nothing.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = sum(share.room(node) for node in nodes)
    if not room or (asked or 0) > room:
        wanted = f"{asked or 1} workers of {share}"
        held = ", ".join(f"{node.get('CPU', 0):g} CPUs and {node.get('GPU', 0):g} GPUs" for node in nodes[:3])
        more = f" and {len(nodes) - 3} more" if len(nodes) > 3 else ""
        raise BackendError(
            f"{wanted} were asked for, and the cluster's nodes ({held}{more}) have room for {room}: give fewer --jobs, "
            "or a smaller --worker-cpus or --worker-gpus."
        )
    return asked or room
