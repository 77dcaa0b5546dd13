"""Graph cut, by PyMaxflow, with the energy of SimpleCRF's demo."""

import numpy as np
from numpy.typing import NDArray

from spnrefine.evaluate.peers.dense_crf import negative_log
from spnrefine.evaluate.peers.peer import SURE, Image, Peer, Probability, belief

WEIGHT, SIGMA = 20.0, 10.0


def link_weights(image: Image, axis: int) -> NDArray[np.float64]:
    """Return 20 exp(-d^2 / 200) between each pixel and its next along ``axis``, one fewer along it."""
    difference = np.diff(image.astype(np.float64), axis=axis)
    return WEIGHT * np.exp(-(difference**2).sum(-1) / (2 * SIGMA**2))


def _graph_cut(image: Image, coarse: Probability) -> Probability:
    """Boykov and Jolly, "Interactive Graph Cuts", ICCV 2001; four neighbours, cut exactly in one go."""
    from maxflow import GraphFloat

    p = belief(coarse).astype(np.float64)
    graph = GraphFloat()
    nodes = graph.add_grid_nodes(coarse.shape)
    for axis in (0, 1):
        # an edge runs from each pixel to its next: the last has none
        weights = np.pad(link_weights(image, axis), [(0, int(a == axis)) for a in (0, 1)])
        structure = np.zeros((3, 3))
        structure[(2, 1) if axis == 0 else (1, 2)] = 1
        graph.add_grid_edges(nodes, weights, structure, symmetric=True)
    # a pixel on the sink's side is the object, and pays its link to the source
    graph.add_grid_tedges(nodes, negative_log(p), negative_log(1 - p))
    graph.maxflow()
    return np.asarray(graph.get_grid_segments(nodes), np.float32)


GRAPH_CUT = Peer(
    "graph-cut",
    f"4 neighbours, lambda {WEIGHT:g}, sigma {SIGMA:g}, minus the logarithm of the probability, {SURE} where hard",
    "SimpleCRF's examples/demo_maxflow.py",
    _graph_cut,
    "maxflow",
    "PyMaxflow",
)
