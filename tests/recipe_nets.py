"""The published nets of the recipes, in the words of `test_recipes.read_recipe`: arguments without wiring."""

from typing import Any

Net = dict[str, Any]

RRDB: Net = {
    "net": "RRDBNet",
    "scale": 4,
    "num_feat": 64,
    "num_block": 23,
    "num_grow_ch": 32,
    "unshuffle": True,
    "plus": False,
}
COMPACT: Net = {
    "net": "SRVGGNetCompact",
    "scale": 4,
    "num_feat": 64,
    "num_conv": 32,
    "skip": "nearest",
    "activation": "prelu",
}
EDSR: Net = {
    "net": "EDSR",
    "scale": 4,
    "num_feat": 256,
    "num_block": 32,
    "res_scale": 0.1,
    "img_range": 255.0,
}
RCAN: Net = {
    "net": "RCAN",
    "scale": 4,
    "num_feat": 64,
    "num_group": 10,
    "num_block": 20,
    "reduction": 16,
    "norm": True,
    "img_range": 255.0,
    "unshuffle": False,
}
SPAN: Net = {
    "net": "SPAN",
    "scale": 4,
    "num_feat": 52,
    "num_block": 6,
    "norm": True,
    "img_range": 255.0,
}
REALPLKSR: Net = {
    "net": "RealPLKSR",
    "scale": 4,
    "num_feat": 64,
    "num_block": 28,
    "kernel_size": 17,
    "split_ratio": 0.25,
    "use_ea": True,
    "norm_groups": 4,
    "layer_norm": True,
    "upsampler": "pixelshuffle",
}
OMNISR: Net = {
    "net": "OmniSR",
    "scale": 4,
    "num_feat": 64,
    "num_group": 5,
    "num_block": 1,
    "window_size": 8,
    "pe": True,
    "bias": True,
}
# What SwinIR, HAT and DAT have in common.
_TRANSFORMER: Net = {
    "scale": 4,
    "embed_dim": 180,
    "depths": [6] * 6,
    "num_heads": [6] * 6,
    "num_feat": 64,
    "resi_connection": "1conv",
    "img_range": 1.0,
    "drop_path_rate": 0.1,
}
SWINIR: Net = _TRANSFORMER | {
    "net": "SwinIR",
    "window_size": 8,
    "mlp_ratio": 2.0,
    "upsampler": "pixelshuffle",
    "img_size": 64,
}
SWINIR_LIGHT: Net = SWINIR | {
    "embed_dim": 60,
    "depths": [6] * 4,
    "num_heads": [6] * 4,
    "upsampler": "pixelshuffledirect",
}
HAT: Net = _TRANSFORMER | {
    "net": "HAT",
    "window_size": 16,
    "mlp_ratio": 2.0,
    "compress_ratio": 3,
    "squeeze_factor": 30,
    "conv_scale": 0.01,
    "overlap_ratio": 0.5,
}
DAT: Net = _TRANSFORMER | {
    "net": "DAT",
    "split_size": [8, 32],
    "expansion_factor": 4.0,
    "qkv_bias": True,
    "upsampler": "pixelshuffle",
    "img_size": 64,
}
DAT_LIGHT: Net = DAT | {
    "embed_dim": 60,
    "depths": [18],
    "num_heads": [6],
    "expansion_factor": 2.0,
    "upsampler": "pixelshuffledirect",
    "resi_connection": "3conv",
}
UNET: Net = {"net": "UNetDiscriminator", "num_feat": 64, "skip_connection": True, "average": False}
VGG: Net = {"net": "VGGDiscriminator", "num_feat": 64, "patch_size": 128}
