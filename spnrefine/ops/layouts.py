"""The two memory layouts that a convolution gives, contiguous and channels_last: results lie as the inputs do."""

from torch import Tensor


def empty_like(tensor: Tensor) -> Tensor:
    """An empty tensor in the layout that results have: channels_last like ``tensor``, contiguous otherwise."""
    if _is_channels_last(tensor):
        return tensor.new_empty(_channels_last(tensor).shape).movedim((1, 2), (-2, -1))
    return tensor.new_empty(tensor.shape)


def laid_out_like(like: Tensor, result: Tensor) -> Tensor:
    """``result`` with the dtype of ``like`` and the layout of :func:`empty_like`, copied only if it must be."""
    if result.dtype == like.dtype and result.stride() == like.stride():  # a kernel's result is dense in some order
        return result
    result = result.to(like.dtype)
    if _is_channels_last(like):
        return _channels_last(result).contiguous().movedim((1, 2), (-2, -1))
    return result.contiguous()


def _is_channels_last(tensor: Tensor) -> bool:
    """Whether (N, ..., H, W) lies in memory as (N, H, W, ...), and not in order as well."""
    return not tensor.is_contiguous() and _channels_last(tensor).is_contiguous()


def _channels_last(tensor: Tensor) -> Tensor:
    return tensor.movedim((-2, -1), (1, 2))
