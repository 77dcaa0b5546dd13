"""Depthwise convolution for training on a GPU, by kernels of this package where they can run.

cuDNN's kernels for it read bfloat16 far below the memory's speed, those for its gradients above all.
"""

import importlib.util

import torch
from torch import Tensor, nn

HAS_TRITON = importlib.util.find_spec("triton") is not None
SIDE, CHANNELS = 8, 32  # pixels along a square, and channels, of a program
PIXELS = 64  # of a program at a time, where weights get their gradient
PROGRAMS = 2048  # over which pixels are shared out there


def fits(conv: nn.Conv2d, x: Tensor) -> bool:
    """Whether the kernels can take the place of ``conv`` for ``x``: depthwise, 3x3 or 5x5, on CUDA, channels last."""
    return (
        x.is_cuda
        and conv.groups == conv.in_channels == conv.out_channels > 1
        and conv.kernel_size in ((3, 3), (5, 5))
        and conv.stride in ((1, 1), (2, 2))
        and x.is_contiguous(memory_format=torch.channels_last)
        and HAS_TRITON
    )


def depthwise(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Return the depthwise convolution of ``x`` with zeros around it.

    Parameters
    ----------
    x : (N, C, H, W) float tensor, channels last.
    weight : (C, 1, K, K), K 3 or 5.

    Returns
    -------
    (N, C, ceil(H / stride), ceil(W / stride)), channels last, dtype of ``x``; under autocast that of autocast.
    """
    if torch.is_autocast_enabled(x.device.type):
        x = x.to(torch.get_autocast_dtype(x.device.type))
    return _forward(x, weight, stride)


@torch.library.custom_op("spnrefine::depthwise", mutates_args=())
def _forward(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    x = x.contiguous(memory_format=torch.channels_last)
    n, c, height, width = x.shape
    out = _channels_last(x, (n, c, _over(height, stride), _over(width, stride)))
    _correlate(x, weight, out, stride, transposed=False)
    return out


@_forward.register_fake
def _(x, weight, stride):
    n, c, height, width = x.shape
    return _channels_last(x, (n, c, _over(height, stride), _over(width, stride)))


@torch.library.custom_op("spnrefine::depthwise_backward", mutates_args=())
def _backward(grad: Tensor, x: Tensor, weight: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    from spnrefine.model.depthwise_kernels import weight_kernel

    grad, x = (each.to(x.dtype).contiguous(memory_format=torch.channels_last) for each in (grad, x))
    dx = _channels_last(x, x.shape)
    _correlate(grad, weight, dx, stride, transposed=True)
    n, c, height, width = x.shape
    kernel, (rows, columns) = weight.shape[-1], grad.shape[-2:]
    pixels, across = n * rows * columns, _over(c, CHANNELS)
    share = _over(_over(pixels, max(1, PROGRAMS // (kernel * across))), PIXELS) * PIXELS
    parts = x.new_empty((_over(pixels, share), kernel * kernel, c), dtype=torch.float32)
    weight_kernel[(kernel, len(parts), across)](
        x, grad, parts, height, width, rows, columns, c, pixels, share,
        kernel=kernel, stride=stride, chunk=PIXELS, lane_count=CHANNELS,
    )  # fmt: skip
    return dx, parts.sum(0).t().reshape(weight.shape).to(weight.dtype)


@_backward.register_fake
def _(grad, x, weight, stride):
    return _channels_last(x, x.shape), weight.new_empty(weight.shape)


def _correlate(x: Tensor, weight: Tensor, out: Tensor, stride: int, *, transposed: bool) -> None:
    from spnrefine.model.depthwise_kernels import correlate_kernel

    (n, c, height, width), (rows, columns) = x.shape, out.shape[-2:]
    taps = weight.float().reshape(c, -1).t().contiguous()
    across = _over(columns, SIDE)
    correlate_kernel[(across * _over(rows, SIDE), _over(c, CHANNELS), n)](
        x, taps, out, height, width, rows, columns, c, across,
        kernel=weight.shape[-1], stride=stride, transposed=transposed, side=SIDE, lane_count=CHANNELS,
    )  # fmt: skip


def _over(count: int, size: int) -> int:
    """Return how many of ``size`` hold ``count``."""
    return -(-count // size)


def _channels_last(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)


def _setup(ctx, inputs, output) -> None:
    x, weight, ctx.stride = inputs
    ctx.save_for_backward(x, weight)


def _differentiate(ctx, grad: Tensor):
    return (*_backward(grad, *ctx.saved_tensors, ctx.stride), None)


torch.library.register_autograd("spnrefine::depthwise", _differentiate, setup_context=_setup)
