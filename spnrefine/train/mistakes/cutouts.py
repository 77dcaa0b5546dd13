"""Objects cut out and put over another photograph: edges whose truth is known exactly."""

from torch import Tensor

from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.photometric import smoothed
from spnrefine.train.recipe import Recipe


def cut_out(image: Tensor, depth: Tensor, others: Tensor, draws: Draws, recipe: Recipe) -> Tensor:
    """Put the objects of ``image`` over ``others``, or over their own mirror image, which holds the object again.

    Nothing but the contour tells the two sides apart: the sharper one is dulled to match the other, and the colours of
    what lies behind are brought nearer to those of the object.

    Parameters
    ----------
    image, others : (N, 3, S, S) floats 0..1.
    depth : (N, 1, S, S) pixels of the patch, positive in the object.

    Returns
    -------
    (N, 3, S, S) floats 0..1.
    """
    own = draws.chance(recipe.cut_mirrored)
    behind = own * image.flip(3) + (1 - own) * others
    cover = (depth / draws.uniform(1.0, 2.0) + 0.5).clamp(0, 1)
    fine, fine_behind = image - smoothed(image), behind - smoothed(behind)
    sharp, sharp_behind = _mean(fine.abs(), cover), _mean(fine_behind.abs(), 1 - cover)
    slack = recipe.cut_slack
    image = image - fine * (1 - (slack * sharp_behind / sharp.clamp(min=1e-4)).clamp(max=1))
    behind = behind - fine_behind * (1 - (slack * sharp / sharp_behind.clamp(min=1e-4)).clamp(max=1))
    apart = _colour(image, cover) - _colour(behind, 1 - cover)
    behind = behind + apart * (1 - own) * draws.uniform(0, recipe.cut_harmony)
    return (cover * image + (1 - cover) * behind).clamp(0, 1)


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """Return (N, 1, 1, 1)."""
    return (values * weight).mean((1, 2, 3), keepdim=True) / weight.mean((1, 2, 3), keepdim=True).clamp(min=1e-3)


def _colour(image: Tensor, weight: Tensor) -> Tensor:
    """Return (N, 3, 1, 1)."""
    return (image * weight).mean((2, 3), keepdim=True) / weight.mean((2, 3), keepdim=True).clamp(min=1e-3)
