"""Other refiners, each with its published default parameters, behind one signature.

Those of OpenCV are there with its contributed modules; the rest need the extra ``peers``
(``pip install 'spnrefine[peers]'``).
"""

from spnrefine.errors import BackendError, MissingExtraError
from spnrefine.evaluate.peers.dense_crf import DEEPLAB, EXAMPLE, SALIENCY
from spnrefine.evaluate.peers.filters import (
    DOMAIN_TRANSFORM,
    DOMAIN_TRANSFORM_DEMO,
    GUIDED,
    GUIDED_DEMO,
    JOINT_BILATERAL,
)
from spnrefine.evaluate.peers.grabcut import GRABCUT
from spnrefine.evaluate.peers.graph_cut import GRAPH_CUT
from spnrefine.evaluate.peers.peer import Peer
from spnrefine.refiner import opencv

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        GRABCUT,
        JOINT_BILATERAL,
        GUIDED,
        GUIDED_DEMO,
        DOMAIN_TRANSFORM,
        DOMAIN_TRANSFORM_DEMO,
        GRAPH_CUT,
        EXAMPLE,
        DEEPLAB,
        SALIENCY,
    )
}
"""All peers by name, installed or not."""

ALL = "all"


def available() -> dict[str, Peer]:
    """Return the peers that can run here, by name."""
    return {name: peer for name, peer in PEERS.items() if peer.installed}


def choose(names: str) -> dict[str, Peer]:
    """Return the peers that ``names`` asks for: some names with commas between, or ``all`` that are installed.

    Raises
    ------
    BackendError
        A name stands for no peer, or for one of a part of OpenCV that is not there.
    MissingExtraError
        It needs a package that is not installed.
    """
    if names == ALL:
        return available()
    chosen = {}
    for name in (part.strip() for part in names.split(",")):
        if name not in PEERS:
            raise BackendError(
                f"--peers names {name!r}, which is no peer: expected {ALL} or some of {', '.join(PEERS)}."
            )
        part = PEERS[name].part
        if part:
            opencv.need(part, name)
        if not PEERS[name].installed:
            raise MissingExtraError(
                f"--peers names {name}, which needs {PEERS[name].package}: install the extra 'peers'."
            )
        chosen[name] = PEERS[name]
    return chosen


__all__ = ["ALL", "PEERS", "Peer", "available", "choose"]
