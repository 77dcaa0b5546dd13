"""The gradient of upsampling by this package's kernel, against torch's."""

import pytest
import torch
import torch.nn.functional as F

from spnrefine.model import upsampling


@pytest.mark.cuda
@pytest.mark.skipif(not (torch.cuda.is_available() and upsampling.HAS_TRITON), reason="no CUDA device, or no Triton")
@pytest.mark.parametrize("shape", [(2, 20, 9, 17), (1, 16, 1, 1), (1, 5, 8, 2), (4, 48, 64, 64)])
def test_value_and_gradient(shape: tuple[int, int, int, int]):
    x = torch.randn(shape, device="cuda").contiguous(memory_format=torch.channels_last).requires_grad_()
    assert upsampling.fits(x)
    y = upsampling.upsample(x)
    z = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    grad = torch.randn_like(y)
    assert torch.equal(y, z)
    torch.testing.assert_close(*(torch.autograd.grad(each, x, grad)[0] for each in (y, z)), rtol=1e-5, atol=1e-5)


def test_a_cpu_is_left_to_torch():
    x = torch.zeros(1, 8, 4, 4, requires_grad=True).contiguous(memory_format=torch.channels_last)
    assert not upsampling.fits(x)
