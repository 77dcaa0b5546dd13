"""The one building block of all networks here: convolution, batch norm, ReLU6."""

from itertools import islice
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from spnrefine.model import upsampling


class ReLU6(nn.ReLU6):
    """In place where no gradient is wanted; where one is, torch would first copy what is overwritten."""

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, inplace=not torch.is_grad_enabled())


class ConvBlock(nn.Sequential):
    """Convolution, batch norm and maybe more in turn; a norm that training has frozen costs next to nothing.

    With fixed statistics the norm is one more factor of the convolution's weights, and a bias. Left to itself it would
    read and write every activation twice more, about an eighth of a step on a CPU.
    """

    def forward(self, x: Tensor) -> Tensor:
        conv, norm = cast(nn.Conv2d, self[0]), cast(nn.BatchNorm2d, self[1])
        if norm.training or not self.training:
            return super().forward(x)
        mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
        factor = norm.weight * (variance + norm.eps).rsqrt()
        weight, bias = conv.weight * factor.view(-1, 1, 1, 1), norm.bias - mean * factor
        x = F.conv2d(x, weight, bias, conv.stride, conv.padding, conv.dilation, conv.groups)
        for layer in islice(self, 2, None):
            x = layer(x)
        return x


def conv_block(
    inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1, groups: int = 1, activation: bool = True
) -> ConvBlock:
    """Convolution without bias, zero padding ``kernel // 2``, then batch norm and, if ``activation``, ReLU6."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    layers: list[nn.Module] = [conv, nn.BatchNorm2d(outputs, eps=1e-3)]
    return ConvBlock(*layers, ReLU6()) if activation else ConvBlock(*layers)


def upsample(x: Tensor) -> Tensor:
    """Resize ``x`` bilinearly to twice its height and width (pixel centres aligned at half pixels).

    A constant factor, rather than the size of another tensor, lets ONNX Runtime keep its own memory layout across it.
    """
    if upsampling.fits(x):
        return upsampling.upsample(x)
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def fold_batch_norms(model: nn.Module) -> nn.Module:
    """Fold every batch norm of ``model`` into the convolution before it, in place; for inference only."""
    for module in model.modules():
        if isinstance(module, nn.Sequential) and len(module) > 1:
            conv, norm = module[0], module[1]
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                statistics = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
                conv.weight, conv.bias = fuse_conv_bn_weights(
                    conv.weight, conv.bias, *statistics, norm.eps, norm.weight, norm.bias
                )
                module[1] = nn.Identity()
    return model
