"""A batch in S3 on a cluster of Ray: workers fetch and put by themselves, and whoever is killed, nothing is lost.

The server is as of ``test_batch_s3.py``; the cluster is one of several nodes on this machine.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec

import pytest

from tests.batch.clusters import TOKEN, two_nodes, workers
from tests.cli import s3, test_batch_s3
from tests.documents import ROOT

pytestmark = [
    pytest.mark.slow("starts an S3 server and clusters of Ray; test_batch_stores_sent.py sends tasks without"),
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
    pytest.mark.filterwarnings("default"),  # Ray's own
]
MANY, KEY, SECRET, end = test_batch_s3.MANY, test_batch_s3.KEY, test_batch_s3.SECRET, test_batch_s3.end
packages, server, bucket = test_batch_s3.packages, test_batch_s3.server, test_batch_s3.bucket


@pytest.fixture
def cluster(packages, server, tmp_path, monkeypatch):
    """Two nodes whose workers find the credentials in their environment."""
    (tmp_path / "tmp").mkdir()
    own = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
    own |= {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
    own |= {"AWS_ENDPOINT_URL": f"http://{s3.HOST}:{server}", "AWS_EC2_METADATA_DISABLED": "true"}
    own |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{packages}", "TMPDIR": str(tmp_path / "tmp")}
    own |= {"RAY_TMPDIR": tempfile.gettempdir()}  # the paths of its sockets may not be long
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    yield from two_nodes()


@pytest.fixture
def start(cluster, tmp_path):
    """Start a batch in the bucket on the cluster."""

    def begin(*arguments, output="s3://bucket/refined"):
        places = ["s3://bucket/photos", "--mask-dir", "s3://bucket/masks", "-o", output]
        where = ["--engine", f"ray:{cluster.address}", "--jobs", "2", "--device", "cpu"]
        return subprocess.Popen(
            [sys.executable, "-m", "spnrefine", "batch", *places, *where, *arguments],
            cwd=tmp_path,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return begin


def wait_for_masks(bucket, process, count):
    while len(test_batch_s3.masks_in(bucket)) < count and process.poll() is None:
        time.sleep(0.02)


def test_the_same_bytes_and_records_as_on_a_disc(start, bucket, run, tmp_path):
    code, _, err = end(start("--records", "s3://bucket/records.jsonl"))
    assert (code, err) == (0, f"{MANY} refined of {MANY}.\n")
    test_batch_s3.check_like_on_a_disc(bucket, run, tmp_path)
    records = [json.loads(line) for line in bucket.get("records.jsonl").splitlines()]
    assert [record["output"] for record in records] == [
        *(f"s3://bucket/refined/{number:02}.png" for number in range(MANY - 1)),
        "s3://bucket/refined/sub/ä +1%.png",
    ]
    assert not [key for key in bucket.keys("refined/") if key.endswith("/run")]
    assert not list((tmp_path / "tmp").glob(".spnrefine-*"))
    code, _, err = end(start("--resume"))
    assert (code, err) == (0, f"{MANY} skipped of {MANY}.\n")
    code, _, err = end(start(output="here"))
    assert (code, err) == (0, f"{MANY} refined of {MANY}.\n")
    assert {path.name: path.read_bytes() for path in (tmp_path / "here").rglob("*.png")} == {
        path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*.png")
    }


@pytest.mark.faults
def test_workers_and_a_command_that_are_killed_lose_nothing(start, bucket, run, tmp_path):
    process = start()
    wait_for_masks(bucket, process, 3)
    os.kill(workers()[0], signal.SIGKILL)
    wait_for_masks(bucket, process, 8)
    assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    end(process)
    done = test_batch_s3.masks_in(bucket)
    assert 8 <= len(done) < MANY
    code, _, err = end(start("--resume"))
    assert code == 0, err
    assert int(err.split(" refined, ")[0]) <= MANY - len(done)
    test_batch_s3.check_like_on_a_disc(bucket, run, tmp_path)
    assert not list((tmp_path / "tmp").glob(".spnrefine-*"))


@pytest.mark.faults
def test_a_node_that_leaves_loses_nothing(start, cluster, bucket, run, tmp_path):
    process = start()
    wait_for_masks(bucket, process, 3)
    cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
    code, _, err = end(process)
    assert (code, err) == (0, f"{MANY} refined of {MANY}.\n")
    test_batch_s3.check_like_on_a_disc(bucket, run, tmp_path)
