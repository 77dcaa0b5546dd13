"""What a record says where a refinement parts or joins objects."""

import pytest

from spnrefine.job.record import Record


@pytest.mark.parametrize(
    ("parts", "holes", "said"),
    [((28, 225), (0, 0), True), ((1, 1), (139, 0), True), ((1, 2), (0, 1), False), ((30, 33), (0, 0), False)],
)
def test_a_tenth_more_or_fewer_parts_or_holes_are_told(parts, holes, said):
    record = Record("a", "b")
    record.components_before, record.components_after = parts
    record.holes_before, record.holes_after = holes
    assert record.changes_topology == said
    assert record.topology_in_words() == f"{parts[0]} parts with {holes[0]} holes became {parts[1]} with {holes[1]}"


def test_a_record_without_numbers_tells_nothing():
    assert not Record("a", "b").changes_topology
