"""Bilinear upsampling to twice the size whose gradient, on a GPU, comes from a kernel of this package."""

import importlib.util

import torch
import torch.nn.functional as F
from torch import Tensor

HAS_TRITON = importlib.util.find_spec("triton") is not None
SIDE, CHANNELS = 8, 16  # pixels along a square, and channels, of a program


def fits(x: Tensor) -> bool:
    """Whether the kernel can serve ``x``: in training, on CUDA, channels last."""
    wanted = x.is_cuda and x.requires_grad and HAS_TRITON
    return wanted and x.is_contiguous(memory_format=torch.channels_last)


@torch.library.custom_op("spnrefine::upsample", mutates_args=())
def upsample(x: Tensor) -> Tensor:
    """Return ``x`` (N, C, H, W) at (N, C, 2 H, 2 W), pixel centres aligned at half pixels; channels last."""
    larger = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    return larger.contiguous(memory_format=torch.channels_last)


@upsample.register_fake
def _(x):
    return _channels_last(x, (x.shape[0], x.shape[1], 2 * x.shape[2], 2 * x.shape[3]))


@torch.library.custom_op("spnrefine::upsample_backward", mutates_args=())
def _backward(grad: Tensor) -> Tensor:
    from spnrefine.model.upsampling_kernels import gather_kernel

    grad = grad.contiguous(memory_format=torch.channels_last)
    n, c, height, width = grad.shape[0], grad.shape[1], grad.shape[2] // 2, grad.shape[3] // 2
    out = _channels_last(grad, (n, c, height, width))
    across = -(-width // SIDE)
    gather_kernel[(across * -(-height // SIDE), -(-c // CHANNELS), n)](
        grad, out, height, width, c, across, side=SIDE, lane_count=CHANNELS
    )
    return out


@_backward.register_fake
def _(grad):
    return _channels_last(grad, (grad.shape[0], grad.shape[1], grad.shape[2] // 2, grad.shape[3] // 2))


def _channels_last(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)


def _setup(ctx, inputs, output) -> None:
    pass


def _differentiate(ctx, grad: Tensor):
    return _backward(grad)


torch.library.register_autograd("spnrefine::upsample", _differentiate, setup_context=_setup)
