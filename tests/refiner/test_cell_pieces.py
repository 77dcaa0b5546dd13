import numpy as np
import pytest

from spnrefine.boxes.box import Box
from spnrefine.refiner.cell_pieces import MOST_CUTS, find_pieces
from tests.refiner.test_cells import blob, lowered


def across(*masks):
    """Put masks side by side, at the top of one picture."""
    height = max(len(mask) for mask in masks)
    return np.hstack([np.pad(mask, ((0, height - len(mask)), (0, 0))) for mask in masks])


def sizes(pieces):
    return [(round(cells.rows.cell, 1), round(cells.columns.cell, 1)) for _, cells in pieces]


def test_a_mask_of_one_picture_is_one_piece_however_many_parts_it_has():
    truth = across(blob(90, 120), blob(90, 120, seed=4), blob(60, 80, seed=2))
    _, mask = lowered(truth, (15, 40))
    ((box, cells),) = find_pieces(mask)
    assert box == (0, 90, 0, 320)
    assert (cells.rows.cell, cells.columns.cell) == (6, 8)


def test_photographs_side_by_side_have_cells_of_their_own():
    one, other = lowered(blob(200, 260), (20, 26)), lowered(blob(140, 200, seed=4), (20, 25))
    pieces = find_pieces(across(one[1], other[1]))
    assert sizes(pieces) == [(10, 10), (7, 8)]
    assert pieces[0].box.right == pieces[1].box.left
    for (small, _), (box, cells), left in zip((one, other), pieces, (0, 260), strict=True):
        down, right = (round((box.top + cells.rows.first) / cells.rows.cell), box.left + cells.columns.first - left)
        first = round(right / cells.columns.cell)
        assert right == pytest.approx(first * cells.columns.cell, abs=0.3)
        height, width = min(len(small) - down, cells.rows.number), min(small.shape[1] - first, cells.columns.number)
        start = max(-first, 0)  # cells of the picture beside it
        np.testing.assert_allclose(
            cells.values[:height, start:width], small[down : down + height, first + start : first + width], atol=0.03
        )


def test_where_objects_meet_the_picture_is_cut_where_one_photograph_ends():
    one, other = blob(200, 300)[:, :200], blob(200, 330, seed=4)[:, 110:]  # both are cut off at the border between them
    mask = across(lowered(one, (20, 20))[1], lowered(other, (25, 22))[1])
    pieces = find_pieces(mask)
    assert sizes(pieces) == [(10, 10), (8, 10)]
    assert [(box.left, box.right) for box, _ in pieces] == [(0, 200), (200, 420)]


def test_a_photograph_ends_below_where_its_mask_does_at_once():
    short = blob(200, 200)[:140]
    pieces = find_pieces(across(lowered(short, (20, 25))[1], lowered(blob(200, 240, seed=4), (20, 24))[1]))
    assert sizes(pieces) == [(7, 8), (10, 10)]
    assert pieces[0].box.bottom == 140


def test_finer_cells_that_suit_two_photographs_are_not_taken_for_theirs():
    one, other = lowered(blob(160, 160), (20, 20))[1], lowered(blob(160, 160, seed=4), (20, 20))[1]
    mask = np.hstack([one, np.zeros((160, 4), np.float32), other])  # cells of 8 by 4 pixels would give both
    assert sizes(find_pieces(mask)) == [(8, 8), (8, 8)]


def test_it_is_cut_so_often_at_most():
    masks = [lowered(blob(80, 80 + 2 * number, seed=number), (10, 10))[1] for number in range(MOST_CUTS + 3)]
    assert len(find_pieces(across(*masks[: MOST_CUTS + 1]))) == MOST_CUTS + 1
    assert len(find_pieces(across(*masks))) < len(masks)


def test_nothing_is_found_where_nothing_was_enlarged():
    assert find_pieces(np.zeros((60, 80), np.float32)) == []
    assert find_pieces(blob(60, 80).astype(np.float32)) == []


@pytest.mark.parametrize(
    ("other", "pixels"),
    [(Box(0, 10, 15, 20), 5), (Box(12, 14, 0, 10), 2), (Box(13, 20, 14, 20), 4), (Box(2, 4, 2, 4), -4)],
)
def test_the_gap_between_boxes(other, pixels):
    box = Box(0, 10, 0, 10)
    assert box.gap(other) == other.gap(box) == pixels
