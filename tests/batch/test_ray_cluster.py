"""What a cluster has room for, and what is said where it has none; without Ray."""

import re
import socket
from types import SimpleNamespace

import pytest

from spnrefine.batch import ray_cluster
from spnrefine.batch.ray_cluster import MOST_OF_A_FOLDER, Share, connect, count_workers
from spnrefine.errors import BackendError, MissingExtraError


class Nodes:
    """As much of Ray as says which nodes there are."""

    def __init__(self, *resources, gone=()):
        self._nodes = [{"Alive": True, "Resources": each} for each in resources]
        self._nodes += [{"Alive": False, "Resources": each} for each in gone]

    def nodes(self):
        return self._nodes


@pytest.mark.parametrize(
    ("share", "node", "room"),
    [
        (Share(1), {"CPU": 4.0}, 4),
        (Share(0.1), {"CPU": 0.3}, 3),
        (Share(2), {"CPU": 3.0}, 1),
        (Share(1), {}, 0),
        (Share(1, 1), {"CPU": 4.0}, 0),
        (Share(1, 0.5), {"CPU": 8.0, "GPU": 2.0}, 4),
        (Share(1, 0.5), {"CPU": 3.0, "GPU": 2.0}, 3),
    ],
)
def test_room_of_a_node(share, node, room):
    assert share.room(node) == room


def test_as_many_workers_as_fit_or_were_asked_for():
    cluster = Nodes({"CPU": 3.0}, {"CPU": 1.0}, {}, gone=[{"CPU": 8.0}])
    assert count_workers(cluster, None, Share()) == 4
    assert count_workers(cluster, 2, Share()) == 2
    assert count_workers(cluster, None, Share(2)) == 1


def test_what_does_not_fit_is_refused_in_a_sentence():
    """Half a CPU is free on each of two nodes: one worker of a whole CPU has no place, and Ray would wait for ever."""
    with pytest.raises(BackendError) as refused:
        count_workers(Nodes({"CPU": 0.5}, {"CPU": 0.5}), 1, Share(1))
    assert str(refused.value) == (
        "1 workers of 1 CPUs were asked for, and the cluster's nodes (0.5 CPUs and 0 GPUs, 0.5 CPUs and 0 GPUs) have "
        "room for 0: give fewer --jobs, or a smaller --worker-cpus or --worker-gpus."
    )


def test_without_ray_its_extra_is_named(monkeypatch):
    monkeypatch.setattr(ray_cluster, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"--engine ray needs Ray: pip install 'spnrefine\[ray\]'\."):
        connect(None)


@pytest.fixture
def told(monkeypatch):
    """Set what says where Ray keeps its own."""

    def tell(**names):
        for name in ("RAY_TMPDIR", "TMPDIR"):
            monkeypatch.setenv(name, str(names[name])) if name in names else monkeypatch.delenv(name, raising=False)

    return tell


def test_where_a_cluster_keeps_its_own(told, monkeypatch, tmp_path):
    """In the folder that it is told, if paths of sockets in that are no longer than the system takes."""
    just = "/" + (MOST_OF_A_FOLDER - 1) * "x"
    assert len(just + "/ray/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store") in (103, 107)
    for names, expected in (
        ({}, "/tmp"),
        ({"TMPDIR": just}, just),
        ({"TMPDIR": ""}, "/tmp"),
        ({"TMPDIR": just + "x"}, "/tmp"),
        ({"RAY_TMPDIR": just, "TMPDIR": "/var/tmp"}, just),
    ):
        told(**names)
        assert str(ray_cluster.session_folder()) == expected
    monkeypatch.chdir("/")
    told(TMPDIR="here")
    assert str(ray_cluster.session_folder()) == "/here"


def test_a_folder_too_long_for_sockets_is_refused_in_a_sentence(told, monkeypatch, tmp_path):
    folder = f"/{MOST_OF_A_FOLDER * 'ä'}"
    told(RAY_TMPDIR=folder)
    sentence = re.escape(
        f"RAY_TMPDIR is too long for the sockets of a Ray cluster ({folder}): give a folder of at most "
        f"{MOST_OF_A_FOLDER} bytes as RAY_TMPDIR."
    )
    with pytest.raises(BackendError, match=f"^{sentence}$"):
        ray_cluster.session_folder()
    told(TMPDIR=folder)
    monkeypatch.setattr(ray_cluster, "_SHORT", tmp_path / "none")
    with pytest.raises(BackendError, match=r"^TMPDIR is too long .* as RAY_TMPDIR\.$"):
        ray_cluster.session_folder()


@pytest.mark.parametrize("name", ["dask", "ray:", "threads:3", ""])
def test_names_of_no_engine_are_refused(run, tmp_path, name):
    result = run("batch", tmp_path, "-o", tmp_path / "out", "--engine", name)
    assert result.exit_code == 2
    assert f"{name!r} is no engine: give threads, ray or ray:ADDRESS." in result.stderr


@pytest.mark.parametrize(("option", "value"), [("--worker-cpus", "2"), ("--worker-gpus", "0.5")])
def test_what_workers_hold_needs_a_cluster(run, tmp_path, option, value):
    result = run("batch", tmp_path, "-o", tmp_path / "out", option, value)
    assert result.exit_code == 2
    assert f"{option} was given without a cluster: give --engine ray too, or leave it out." in result.stderr


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "127.0.0.1:99999"])
def test_where_nobody_listens_it_is_said_at_once(address):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and does not listen
        address = address.format(port=held.getsockname()[1])
        with pytest.raises(
            BackendError, match=r"^The Ray cluster at \S+ cannot be reached \(.+\): check the"
        ) as refused:
            ray_cluster.reach(at("127.0.0.1"), address)
    assert f" {address} " in str(refused.value)


def at(address):
    """As much of Ray as tells this machine's address."""
    return SimpleNamespace(util=SimpleNamespace(get_node_ip_address=lambda: address))


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "127.0.0.2:{port}", "auto", "ray://here:1", "/a/socket"])
def test_where_somebody_listens_ray_is_asked(address):
    """Ray takes the loopback address for the machine's own, here another one."""
    with socket.create_server(("127.0.0.2", 0)) as server:
        ray_cluster.reach(at("127.0.0.2"), address.format(port=server.getsockname()[1]))


def test_a_batch_without_ray_is_refused_before_anything_is_written(run, pair, tmp_path, monkeypatch):
    monkeypatch.setattr(ray_cluster, "find_spec", lambda name: None)
    where = "--mask-dir", pair[1].parent / "masks", "-o", tmp_path / "out", "--records", tmp_path / "records"
    (tmp_path / "masks").mkdir()
    pair[1].rename(tmp_path / "masks/photo.png")
    result = run("batch", pair[0], *where, "--engine", "ray")
    assert result.exit_code == 1
    assert "--engine ray needs Ray" in result.stderr
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "records").exists()
