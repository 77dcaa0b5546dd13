import json

import numpy as np
import pytest

from spnrefine.evaluate import bench, commands, peers, timing
from spnrefine.evaluate.scene import draw_scene


def test_median_of_what_was_timed():
    calls = []
    seconds = timing.median_seconds(lambda: calls.append(1), seconds=0, least=4)
    assert len(calls) == 2 + 4
    assert 0 < seconds < 0.1


def test_a_scene_has_an_object_and_a_mask_that_is_off():
    image, mask = draw_scene(300, 200)
    assert (image.shape, mask.shape) == ((300, 200, 3), (300, 200))
    assert set(np.unique(mask)) == {0, 255}
    assert 0.3 < (mask > 0).mean() < 0.5


def test_propagation_rows(monkeypatch):
    monkeypatch.setattr(bench, "PROPAGATION_SHAPES", ((8, 12, 2),))
    monkeypatch.setattr(timing, "COPY_BYTES", 1 << 20)
    rows = list(bench.propagation("cpu"))
    assert [row["layout"] for row in rows] == ["channels_last", "contiguous"]
    for row in rows:
        moved = (12 + 1 + 1) * 8 * 12 * 2 * 4
        assert row["gb_s"] == pytest.approx(moved / (row["forward_ms"] * 1e6), rel=1e-6)
        assert row["share"] == pytest.approx(row["gb_s"] / row["copy_gb_s"])
        assert row["backward_ms"] > 0
        assert row["times_reference"] == pytest.approx(row["reference_ms"] / row["forward_ms"])


def test_end_to_end_rows_have_time_and_memory(monkeypatch):
    monkeypatch.setattr(bench, "SCENES", ((64, 96), (500, 500), (1000, 1000)))
    small, middle, large = bench.end_to_end("general", "cpu")
    assert small["size"] == "96x64"
    for row in (small, middle, large):
        assert 0 < row["seconds"] < 30
        assert 0.1 < row["peak_gb"] < 4
    assert "growth_exponent" not in middle
    assert 4 ** large["growth_exponent"] == pytest.approx(large["seconds"] / middle["seconds"])


def test_whole_commands_are_timed(monkeypatch):
    monkeypatch.setattr(commands, "SIDE", 128)
    (row,) = commands.cold("general", "cpu", times=1)
    assert row["ratio"] == pytest.approx(row["seconds"] / row["import_torch_seconds"])
    (row,) = commands.batch("general", "cpu", images=3)
    assert row["share"] == pytest.approx(row["images_per_second"] * row["in_process_seconds_an_image"])
    assert row["seconds"] > 0


def test_bench_prints_machine_and_versions(run, monkeypatch):
    monkeypatch.setattr(bench, "PROPAGATION_SHAPES", ((4, 4, 1),))
    monkeypatch.setattr(timing, "COPY_BYTES", 1 << 20)
    printed = json.loads(run("bench", "--only", "propagation", "--json").stdout)
    assert printed["machine"]["cores"] >= 1
    assert "torch" in printed["versions"]
    assert "refine" not in printed
    assert "forward_ms" in run("bench", "--only", "propagation").stdout


def test_peers_are_timed_beside_the_tool(monkeypatch):
    chosen = {"domain-transform": peers.PEERS["domain-transform"]}
    monkeypatch.setattr(peers, "available", lambda: chosen)
    (row,) = bench.against_peers("general", "cpu", times=1)
    assert row["peer"] == "domain-transform"
    assert row["ratio"] == pytest.approx(row["spnrefine_seconds"] / row["seconds"])
