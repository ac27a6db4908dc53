"""Every net of sr.archs in its smallest form, for the tests that all nets share."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sr.archs.bicubic import Bicubic
from sr.archs.dat import DAT
from sr.archs.edsr import EDSR
from sr.archs.hat import HAT
from sr.archs.multiscale_disc import MultiscalePatchDiscriminator
from sr.archs.omnisr import OmniSR
from sr.archs.patch_disc import PatchDiscriminator
from sr.archs.plksr import PLKSR
from sr.archs.rcan import RCAN
from sr.archs.realplksr import RealPLKSR
from sr.archs.rrdbnet import RRDBNet
from sr.archs.span import SPAN
from sr.archs.srresnet import SRResNet
from sr.archs.srvgg import SRVGGNetCompact
from sr.archs.swinir import SwinIR
from sr.archs.unet_disc import UNetDiscriminator
from sr.archs.vgg_disc import VGGDiscriminator

Make = Callable[..., nn.Module]

# Two groups; windows that are smaller than the pictures of the tests; blocks with and without a shift.
WINDOWS: dict[str, Any] = {"embed_dim": 8, "depths": [2, 1], "num_heads": [2, 1], "window_size": 4}


def _tiny_dat(**options: Any) -> nn.Module:
    # Fewer channels would leave less than three to the net of the position bias, whose norm makes constants of two.
    sizes: dict[str, Any] = {"embed_dim": 96, "split_size": (4, 8), "img_size": 16, "expansion_factor": 1.0}
    return DAT(**sizes, **options)


# Each takes `scale` and what else its constructor knows.
GENERATORS: dict[str, Make] = {
    "rrdbnet": lambda **options: RRDBNet(num_feat=8, num_block=2, num_grow_ch=4, **options),
    "dat": lambda **options: _tiny_dat(depths=(3, 1), num_heads=(4, 2), **options),
    "dat_light": lambda **options: _tiny_dat(
        depths=(2,), num_heads=(2,), upsampler="pixelshuffledirect", resi_connection="3conv", **options
    ),
    "omnisr": lambda **options: OmniSR(num_feat=8, num_group=2, **options),
    "rrdbnet_plus": lambda **options: RRDBNet(num_feat=8, num_block=2, num_grow_ch=4, plus=True, **options),
    "srresnet": lambda **options: SRResNet(num_feat=8, num_block=2, **options),
    "srvgg_nearest": lambda **options: SRVGGNetCompact(num_feat=8, num_conv=2, **options),
    "span": lambda **options: SPAN(num_feat=8, num_block=2, norm=False, **options),
    "plksr": lambda **options: PLKSR(num_feat=8, num_block=2, kernel_size=5, **options),
    "realplksr": lambda **options: RealPLKSR(
        num_feat=8, num_block=2, kernel_size=5, upsampler="dysample", **options
    ),
    "realplksr_groups": lambda **options: RealPLKSR(
        num_feat=8, num_block=2, kernel_size=5, layer_norm=False, **options
    ),
    "edsr": lambda **options: EDSR(num_feat=8, num_block=2, **options),
    "rcan": lambda **options: RCAN(num_feat=8, num_group=2, num_block=2, reduction=4, **options),
    "rcan_unshuffled": lambda **options: RCAN(
        num_feat=8, num_group=2, num_block=1, reduction=2, norm=False, unshuffle=True, **options
    ),
    "srvgg_relu": lambda **options: SRVGGNetCompact(num_feat=8, num_conv=2, activation="relu", **options),
    "srvgg_bicubic": lambda **options: SRVGGNetCompact(num_feat=8, num_conv=2, skip="bicubic", **options),
    "hat": lambda **options: HAT(**WINDOWS, num_feat=8, squeeze_factor=4, **options),
    "swinir": lambda **options: SwinIR(**WINDOWS, num_feat=8, img_size=8, **options),
    "swinir_light": lambda **options: SwinIR(
        **WINDOWS, upsampler="pixelshuffledirect", img_size=8, **options
    ),
    "swinir_real": lambda **options: SwinIR(
        **WINDOWS, upsampler="nearest+conv", resi_connection="3conv", num_feat=8, img_size=12, **options
    ),
}
DISCRIMINATORS: dict[str, Make] = {
    "unet_disc": lambda: UNetDiscriminator(num_feat=8),
    "vgg_disc": lambda: VGGDiscriminator(num_feat=4, patch_size=32),
    "patch_disc": lambda: PatchDiscriminator(num_feat=8, num_layer=2),
    "multiscale_disc": lambda: MultiscalePatchDiscriminator(num_feat=8, num_layer=1, num_scale=2),
}
BASELINES: dict[str, Make] = {"bicubic": Bicubic}


def lively(net: nn.Module) -> nn.Module:
    """Fill a net so that every layer shows in the picture, and set it to evaluation.

    Fresh nets start small (no biases, residuals of a tenth), so that a mistake in a deep layer hides. The values depend
    on the names and shapes of the parameters alone: another implementation with the same names gets the same ones. A
    bias gets a little noise, a factor (of a norm, of a PReLU) keeps its start and gets a little noise, and everything
    else gets noise that keeps the strength of a signal.
    """
    for name, parameter in net.named_parameters():
        drawn = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(sum(name.encode())))
        with torch.no_grad():
            if name.endswith("bias"):
                parameter.copy_(0.02 * drawn)
            elif parameter.dim() == 1:
                parameter.add_(0.02 * drawn)
            else:
                parameter.copy_(drawn / parameter[0].numel() ** 0.5)
    return net.eval()


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))
