"""A real cluster of Ray on this machine."""


def two_nodes():
    """Yield a cluster of two nodes with a CPU each, beside a head without one, and stop it afterwards."""
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
    made = Cluster(initialize_head=True, head_node_args={**node, "num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        made.add_node(**node)
    made.wait_for_nodes()
    yield made
    made.shutdown()
