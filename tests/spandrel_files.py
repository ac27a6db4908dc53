"""Small random checkpoints of the field's nets, made by spandrel's own classes."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

NEEDS_SPANDREL = pytest.mark.skipif(
    importlib.util.find_spec("spandrel") is None, reason="needs the extra `archs`"
)
_WINDOWS = {"embed_dim": 12, "num_heads": (2, 2), "img_size": 16, "window_size": 8, "upscale": 2}
_UP = {"upsampler": "pixelshuffle", "upscale": 2}
# Name -> module of spandrel.architectures, class, arguments.
NETS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "SwinIR": ("SwinIR", "SwinIR", {**_WINDOWS, **_UP, "depths": [2, 2], "mlp_ratio": 2.0}),
    "HAT": ("HAT", "HAT", {**_WINDOWS, **_UP, "depths": (2, 2), "mlp_ratio": 2.0, "squeeze_factor": 6}),
    "DAT": (
        "DAT",
        "DAT",
        {"embed_dim": 32, "split_size": [8, 16], "depth": [2, 2], "num_heads": [2, 2], **_UP},
    ),
    "SPAN": ("SPAN", "SPAN", {"num_in_ch": 3, "num_out_ch": 3, "feature_channels": 8, "upscale": 2}),
    "RealPLKSR": ("PLKSR", "RealPLKSR", {"dim": 16, "n_blocks": 2, "upscaling_factor": 2}),
    "PLKSR": ("PLKSR", "PLKSR", {"dim": 16, "n_blocks": 2, "upscaling_factor": 2}),
    "OmniSR": ("OmniSR", "OmniSR", {"num_feat": 16, "block_num": 1, "res_num": 1, "up_scale": 2}),
    "ATD": ("ATD", "ATD", {**_WINDOWS, **_UP, "depths": (2, 2), "num_tokens": 8, "category_size": 32}),
    "MoSR": ("MoSR", "MoSR", {"dim": 16, "n_block": 2, "upscale": 2}),
    "RGT": (
        "RGT",
        "RGT",
        {
            "embed_dim": 32,
            "depth": [2, 2],
            "num_heads": [2, 2],
            "split_size": [8, 8],
            "upscale": 2,
        },
    ),
    "DRCT": ("DRCT", "DRCT", {**_WINDOWS, **_UP, "depths": (2, 2), "gc": 4}),
    "SAFMN": ("SAFMN", "SAFMN", {"dim": 8, "n_blocks": 2, "upscaling_factor": 2}),
    "Swin2SR": ("Swin2SR", "Swin2SR", {**_WINDOWS, **_UP, "depths": [2, 2], "mlp_ratio": 2.0}),
    "RCAN": (
        "RCAN",
        "RCAN",
        {"scale": 2, "n_resgroups": 2, "n_resblocks": 2, "n_feats": 8, "reduction": 4},
    ),
    "RealCUGAN": ("RealCUGAN", "UpCunet2x", {}),
    "Compact": ("Compact", "Compact", {"num_feat": 8, "num_conv": 2, "upscale": 2}),
    "ESRGAN": ("ESRGAN", "ESRGAN", {"num_filters": 8, "num_blocks": 1, "scale": 4}),
    "ESRGAN+": ("ESRGAN", "ESRGAN", {"num_filters": 8, "num_blocks": 1, "scale": 4, "plus": True}),
}


def stand_in_for_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give spandrel the names that it imports from torchvision, where torchvision cannot be imported.

    The registry's build of torchvision does not import beside a CPU build of torch. The two functions belong to nets
    that are not tested here; where there is a real torchvision, it is used.
    """
    try:
        importlib.import_module("torchvision.transforms.functional")
    except Exception:  # an incomplete torchvision raises RuntimeError too
        names = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")
        for name in names:
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        functional: Any = sys.modules[names[-1]]
        functional.InterpolationMode = type("InterpolationMode", (), {"BILINEAR": "bilinear"})
        functional.rotate = functional.normalize = None


def spandrel_net(name: str) -> nn.Module:
    """A random net of spandrel's class, strong enough for every layer to show."""
    module, kind, arguments = NETS[name]
    torch.manual_seed(0)
    importlib.import_module("spandrel")  # first, because its rooms import each other
    net: nn.Module = getattr(importlib.import_module(f"spandrel.architectures.{module}"), kind)(**arguments)
    with torch.no_grad():
        for key, parameter in net.named_parameters():
            if (
                parameter.dim() > 1 and "_mean" not in key
            ):  # which subtracts and adds a mean, and is not learned
                nn.init.normal_(parameter, std=(0.5 / parameter[0].numel()) ** 0.5)
    return net.eval()


def write_net(folder: Path, name: str) -> tuple[Path, nn.Module]:
    net = spandrel_net(name)
    path = folder / f"{name}.pth"
    torch.save({"params": net.state_dict()}, path)
    return path, net
