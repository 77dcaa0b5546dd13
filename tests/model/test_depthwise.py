"""Depthwise convolutions by this package's kernels, against those of torch in float64."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from spnrefine.model import depthwise
from spnrefine.model.layers import conv_block, use_depthwise_kernels


def worst(given: list[torch.Tensor], exact: list[torch.Tensor]) -> float:
    return max(
        float((one.detach().double() - other).norm() / other.norm()) for one, other in zip(given, exact, strict=True)
    )


@pytest.mark.cuda
@pytest.mark.skipif(not (torch.cuda.is_available() and depthwise.HAS_TRITON), reason="no CUDA device, or no Triton")
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize(("dtype", "most"), [(torch.float32, 1e-6), (torch.bfloat16, 1e-2)])
def test_values_and_gradients(kernel: int, stride: int, dtype: torch.dtype, most: float):
    generator = torch.Generator().manual_seed(0)
    for n, c, height, width in ((2, 40, 17, 20), (1, 33, 16, 13), (3, 96, 64, 64)):
        x = torch.randn(n, c, height, width, generator=generator).to("cuda", dtype, memory_format=torch.channels_last)
        weight = torch.randn(c, 1, kernel, kernel, generator=generator).cuda().requires_grad_()
        x.requires_grad_()
        y = depthwise.depthwise(x, weight, stride)
        grad = torch.randn(y.shape, generator=generator).to(y)
        found = [y, *torch.autograd.grad(y, (x, weight), grad)]
        exact = [each.detach().double().requires_grad_() for each in (x, weight)]
        z = F.conv2d(*exact, None, stride, kernel // 2, 1, c)
        assert worst(found, [z.detach(), *torch.autograd.grad(z, exact, grad.double())]) < most


def test_only_what_the_kernels_can_do_is_given_to_them():
    block = conv_block(8, 8, groups=8)
    use_depthwise_kernels(block)
    assert block[0].by_kernels
    x = torch.zeros(1, 8, 4, 4).contiguous(memory_format=torch.channels_last)
    assert not depthwise.fits(block[0], x)  # on a CPU
    assert not hasattr(use_or_not(nn.Conv2d(8, 8, 3)), "by_kernels")


def use_or_not(conv: nn.Conv2d) -> nn.Conv2d:
    use_depthwise_kernels(conv)
    return conv
