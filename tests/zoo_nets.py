"""Small nets as they lie in the package."""

import json
from pathlib import Path

import torch

from sr.archs.srvgg import SRVGGNetCompact
from sr.export.card import make_card
from sr.export.state_dict import Safetensors
from sr.weights.generator import load_generator
from sr.zoo.card import page

MEASURED = {
    "protocol": "esrgan_paper",
    "lr": "MATLAB's antialiased bicubic",
    "sets": {
        "scikit-image": {
            "images": 3,
            "net": {"psnr_y": 30.5, "ssim_y": 0.8},
            "bicubic": {"psnr_y": 30.1, "ssim_y": 0.79},
        }
    },
}


def put_net(folder: Path, name: str, *, scale: int) -> Path:
    """An untrained net that begins as the nearest neighbour, with a card, in the folder."""
    net = SRVGGNetCompact(scale=scale, num_feat=4, num_conv=1)
    description = {
        "_target_": "sr.archs.srvgg.SRVGGNetCompact",
        "scale": scale,
        "num_feat": 4,
        "num_conv": 1,
    }
    config = {"name": name, "seed": 0, "scale": scale, "channels": 3, "generator": description}
    state = {f"generator_ema.{key}": value for key, value in net.state_dict().items()}
    made = folder / f"{name}.ckpt"
    torch.save({"state_dict": state, "config": config, "provenance": {"seconds": 12.0}}, made)
    trained = load_generator(made)
    made.unlink()
    card = make_card(trained, sources=[trained.checkpoint], alpha=None, license="MIT")
    card |= {"name": name, "description": f"Enlarges by {scale}.", "recipe": "zoo/none"}
    card["measured"] = json.dumps(MEASURED)
    file = folder / f"{name}.safetensors"
    file.write_bytes(Safetensors().encode(trained, card, dtype="fp16")[".safetensors"])
    file.with_suffix(".md").write_text(page(card))
    return file
