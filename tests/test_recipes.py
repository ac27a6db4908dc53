"""The recipes hold the published numbers: those of the papers and of the reference implementations' option files."""

from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import ROOT, compose_config, experiments, small_nets
from hydra.utils import instantiate
from omegaconf import OmegaConf

RRDB = {
    "net": "RRDBNet",
    "scale": 4,
    "num_feat": 64,
    "num_block": 23,
    "num_grow_ch": 32,
    "unshuffle": True,
    "plus": False,
}
SWINIR = {
    "net": "SwinIR",
    "scale": 4,
    "embed_dim": 180,
    "depths": [6] * 6,
    "num_heads": [6] * 6,
    "window_size": 8,
    "mlp_ratio": 2.0,
    "upsampler": "pixelshuffle",
    "num_feat": 64,
    "resi_connection": "1conv",
    "img_range": 1.0,
    "drop_path_rate": 0.1,
    "img_size": 64,
}
UNET = {"net": "UNetDiscriminator", "num_feat": 64, "skip_connection": True, "average": False}
VGG = {"net": "VGGDiscriminator", "num_feat": 64, "patch_size": 128}
CONSTANT = {"schedule": "ConstantLR", "factor": 1.0, "total_iters": 0}
RESTARTS = {"schedule": "CosineAnnealingWarmRestarts", "T_0": 250_000, "eta_min": 1e-7}
EVERY_200K = {"schedule": "StepLR", "step_size": 200_000, "gamma": 0.5}
HALVINGS = {"schedule": "MultiStepLR", "milestones": [50_000, 100_000, 200_000, 300_000], "gamma": 0.5}
CONV5_4 = {"weight": 1.0, "layers": {"conv5_4": 1.0}, "distance": "l1"}
HALVINGS_500K = HALVINGS | {"milestones": [250_000, 400_000, 450_000, 475_000]}
HALVINGS_600K = HALVINGS | {"milestones": [400_000, 500_000, 550_000, 575_000]}
FIVE_LAYERS = {
    "weight": 1.0,
    "layers": {"conv1_2": 0.1, "conv2_2": 0.1, "conv3_4": 1.0, "conv4_4": 1.0, "conv5_4": 1.0},
    "distance": "l1",
}
RELATIVISTIC = {"objective": "RelativisticAverageGANLoss", "base": "VanillaGANLoss", "label_smoothing": 0.0}
VANILLA = {"objective": "VanillaGANLoss", "base": None, "label_smoothing": 0.0}
USM = {"_target_": "sr.degradations.sharpen.UnsharpMask", "weight": 0.5, "radius": 50, "threshold": 10}
TURNS = [{"_target_": "albumentations.D4", "p": 1.0}]
FLIPS = [{"_target_": "albumentations.HorizontalFlip", "p": 0.5}]


def adam(rate: float, *, second: float = 0.99) -> dict[str, Any]:
    return {"optimizer": "Adam", "lr": rate, "betas": [0.9, second]}


IMAGE_ENHANCEMENT = {
    "generator": RRDB,
    "discriminator": UNET,
    "g": adam(2e-4) | CONSTANT,
    "d": adam(1e-4, second=0.999) | CONSTANT,
    "length": {"max_epochs": 10, "max_steps": -1},
    "patches": {"batch_size": 4, "hr": 384, "lr": 96},
    "l1": 1e-2,
    "perceptual": CONV5_4,
    "adversarial": {"weight": 5e-3, "ramp": (0, 0)} | RELATIVISTIC,
    "ema_decay": 0.999,
    "degradation": "bicubic",
    "sharpen": None,
    "augmentation": TURNS,
}
ESRGAN_PSNR = IMAGE_ENHANCEMENT | {
    "discriminator": None,
    "g": adam(2e-4) | RESTARTS,
    "d": None,
    "length": {"max_epochs": -1, "max_steps": 1_000_000},
    "patches": {"batch_size": 16, "hr": 128, "lr": 32},
    "l1": 1.0,
    "perceptual": None,
    "adversarial": None,
}
EDSR = ESRGAN_PSNR | {
    "generator": {
        "net": "EDSR",
        "scale": 4,
        "num_feat": 256,
        "num_block": 32,
        "res_scale": 0.1,
        "img_range": 255.0,
    },
    "g": adam(1e-4, second=0.999) | EVERY_200K,
    "length": {"max_epochs": -1, "max_steps": 300_000},
    "patches": {"batch_size": 16, "hr": 192, "lr": 48},
}
ESRGAN = ESRGAN_PSNR | {
    "discriminator": VGG,
    "g": adam(1e-4) | HALVINGS,
    "d": adam(1e-4) | HALVINGS,
    "length": {"max_epochs": -1, "max_steps": 400_000},
    "l1": 1e-2,
    "perceptual": CONV5_4,
    "adversarial": {"weight": 5e-3, "ramp": (0, 0)} | RELATIVISTIC,
}
TWO_STAGE = ESRGAN | {
    "length": {"max_epochs": -1, "max_steps": 1_400_000},
    "adversarial": ESRGAN["adversarial"] | {"ramp": (1_000_000, 0)},
    "first_stage": {"g": ESRGAN_PSNR["g"], "l1": ESRGAN_PSNR["l1"]},
}
REALESRNET = ESRGAN_PSNR | {
    "g": adam(2e-4) | CONSTANT,
    "patches": {"batch_size": 12, "hr": 256, "lr": 64},
    "degradation": "realesrgan",
    "sharpen": USM,
    "augmentation": FLIPS,
}
REALESRGAN = REALESRNET | {
    "discriminator": UNET,
    "g": adam(1e-4) | CONSTANT,
    "d": adam(1e-4) | CONSTANT,
    "length": {"max_epochs": -1, "max_steps": 400_000},
    "perceptual": FIVE_LAYERS,
    "adversarial": {"weight": 0.1, "ramp": (0, 0)} | VANILLA,
}
SWINIR_CLASSICAL = ESRGAN_PSNR | {
    "generator": SWINIR,
    "g": adam(2e-4) | HALVINGS_500K,
    "length": {"max_epochs": -1, "max_steps": 500_000},
    "patches": {"batch_size": 4, "hr": 192, "lr": 48},
}
SWINIR_LIGHT = {"embed_dim": 60, "depths": [6] * 4, "num_heads": [6] * 4, "upsampler": "pixelshuffledirect"}
HAT = {
    "net": "HAT",
    "window_size": 16,
    "compress_ratio": 3,
    "squeeze_factor": 30,
    "conv_scale": 0.01,
    "overlap_ratio": 0.5,
}
HAT |= {
    key: value for key, value in SWINIR.items() if key not in ("net", "window_size", "upsampler", "img_size")
}
DAT = ESRGAN_PSNR | {
    "generator": {
        "net": "DAT",
        "scale": 4,
        "embed_dim": 180,
        "depths": [6] * 6,
        "num_heads": [6] * 6,
        "split_size": [8, 32],
        "expansion_factor": 4.0,
        "qkv_bias": True,
        "upsampler": "pixelshuffle",
        "num_feat": 64,
        "resi_connection": "1conv",
        "img_range": 1.0,
        "drop_path_rate": 0.1,
        "img_size": 64,
    },
    "g": adam(2e-4)
    | {"schedule": "MultiStepLR", "milestones": [250_000, 400_000, 450_000, 475_000], "gamma": 0.5},
    "length": {"max_epochs": -1, "max_steps": 500_000},
    "patches": {"batch_size": 8, "hr": 256, "lr": 64},
    "ema_decay": 0.0,
}
RECIPES = {
    "image_enhancement": IMAGE_ENHANCEMENT,
    "esrgan_psnr": ESRGAN_PSNR,
    "esrgan": ESRGAN,
    "esrgan_two_stage": TWO_STAGE,
    "realesrnet": REALESRNET,
    "realesrgan": REALESRGAN,
    "realesrgan_x2": REALESRGAN
    | {"generator": RRDB | {"scale": 2}, "patches": {"batch_size": 12, "hr": 256, "lr": 128}},
    "realesrgan_anime": REALESRGAN | {"generator": RRDB | {"num_block": 6}},
    "swinir_classical": SWINIR_CLASSICAL,
    "swinir_light": SWINIR_CLASSICAL
    | {"generator": SWINIR | SWINIR_LIGHT, "patches": {"batch_size": 8, "hr": 256, "lr": 64}},
    "swinir_real": REALESRGAN
    | {
        "generator": SWINIR | {"upsampler": "nearest+conv"},
        "g": adam(1e-4) | HALVINGS_600K,
        "d": adam(1e-4) | HALVINGS_600K,
        "length": {"max_epochs": -1, "max_steps": 600_000},
        "patches": {"batch_size": 4, "hr": 256, "lr": 64},
        "degradation": "bsrgan",
    },
    "hat": SWINIR_CLASSICAL | {"generator": HAT, "patches": {"batch_size": 4, "hr": 256, "lr": 64}},
    "omnisr": ESRGAN_PSNR
    | {
        "generator": {
            "net": "OmniSR",
            "scale": 4,
            "num_feat": 64,
            "num_group": 5,
            "num_block": 1,
            "window_size": 8,
            "pe": True,
            "bias": True,
        },
        "g": {"optimizer": "AdamW", "lr": 5e-4, "betas": [0.9, 0.999], "weight_decay": 1e-4}
        | {"schedule": "MultiStepLR", "milestones": [200_000, 400_000, 600_000], "gamma": 0.5},
        "length": {"max_epochs": -1, "max_steps": 800_000},
        "patches": {"batch_size": 64, "hr": 256, "lr": 64},
        "ema_decay": 0.0,
    },
    "dat": DAT,
    "dat_light": DAT
    | {
        "generator": DAT["generator"]
        | {
            "embed_dim": 60,
            "depths": [18],
            "num_heads": [6],
            "expansion_factor": 2.0,
            "upsampler": "pixelshuffledirect",
            "resi_connection": "3conv",
        }
    },
    "span": ESRGAN_PSNR
    | {
        "generator": {
            "net": "SPAN",
            "scale": 4,
            "num_feat": 52,
            "num_block": 6,
            "norm": True,
            "img_range": 255.0,
        },
        "g": adam(5e-4) | EVERY_200K,
        "patches": {"batch_size": 64, "hr": 256, "lr": 64},
    },
    "realplksr": ESRGAN_PSNR
    | {
        "generator": {
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
        },
        "g": adam(2e-4)
        | {
            "schedule": "MultiStepLR",
            "milestones": [100_000, 200_000, 300_000, 400_000, 425_000],
            "gamma": 0.5,
        },
        "length": {"max_epochs": -1, "max_steps": 450_000},
        "patches": {"batch_size": 16, "hr": 384, "lr": 96},
        "l1": None,
        "charbonnier": (1.0, 1e-6),
    },
    "edsr": EDSR,
    "rcan": EDSR
    | {
        "generator": {
            "net": "RCAN",
            "scale": 4,
            "num_feat": 64,
            "num_group": 10,
            "num_block": 20,
            "reduction": 16,
            "norm": True,
            "img_range": 255.0,
            "unshuffle": False,
        },
        "length": {"max_epochs": -1, "max_steps": 1_000_000},
    },
    # Ours from here on: published nets and settings, lengths of our choice.
    "finetune": REALESRGAN | {"length": {"max_epochs": -1, "max_steps": 50_000}},
    "compact_general": REALESRGAN
    | {
        "generator": {
            "net": "SRVGGNetCompact",
            "scale": 4,
            "num_feat": 64,
            "num_conv": 32,
            "skip": "nearest",
            "activation": "prelu",
        },
        "g": adam(2e-4) | {"schedule": "MultiStepLR", "milestones": [500_000], "gamma": 0.5},
        "length": {"max_epochs": -1, "max_steps": 900_000},
        "patches": {"batch_size": 12, "hr": 240, "lr": 60},
        "adversarial": {"weight": 0.1, "ramp": (500_000, 10_000)} | VANILLA,
    },
}


def full(*overrides: str) -> dict[str, Any]:
    plain = OmegaConf.to_container(compose_config(*overrides), resolve=True)
    assert isinstance(plain, dict)
    return plain


def named(node: dict[str, Any], key: str) -> dict[str, Any]:
    """The node with the name of its class under `key`, without what is wiring."""
    wiring = ("_target_", "_partial_", "in_channels", "out_channels", "memory", "fused")
    return {key: node["_target_"].rsplit(".", 1)[1]} | {k: v for k, v in node.items() if k not in wiring}


def read_recipe(experiment: str) -> dict[str, Any]:
    """What a composed configuration says, in the words of the tables above."""
    composed = compose_config(f"experiment={experiment}", "init_from=null", "data=samples")
    cfg: Any = OmegaConf.to_container(composed, resolve=True)
    model, data, loss, gan_loss = cfg["model"], cfg["data"], cfg["loss"], cfg["gan_loss"]
    adversarial = model["_target_"] == "sr.training.gan.GANModule"
    assert adversarial or model["_target_"] == "sr.training.psnr.PSNRModule"
    assert set(loss) <= {"l1", "charbonnier", "perceptual"}
    assert data["degradation"] == cfg["degradation"]
    recipe: dict[str, Any] = {
        "generator": named(cfg["generator"], "net"),
        "discriminator": named(cfg["discriminator"], "net") if adversarial else None,
        "length": {key: cfg["trainer"][key] for key in ("max_epochs", "max_steps")},
        "patches": {
            "batch_size": data["batch_size"],
            "hr": data["hr_patch_size"],
            "lr": data["hr_patch_size"] // cfg["scale"],
        },
        "l1": loss["l1"]["weight"] if "l1" in loss else None,
        "perceptual": None,
        "adversarial": None,
        "ema_decay": model["optimization"]["ema_decay"],
        "sharpen": data["sharpen"],
        "augmentation": data["augmentation"],
    }
    for net in "gd":
        parts = named(cfg[f"optimizer_{net}"], "optimizer") | named(cfg[f"scheduler_{net}"], "schedule")
        recipe[net] = parts if net == "g" or adversarial else None
    if "charbonnier" in loss:
        recipe["charbonnier"] = loss["charbonnier"]["weight"], loss["charbonnier"]["loss"]["eps"]
    if "perceptual" in loss:
        node = loss["perceptual"]
        recipe["perceptual"] = {"weight": node["weight"]} | {
            key: node["loss"][key] for key in ("layers", "distance")
        }
    if adversarial:
        base = gan_loss.get("base")
        recipe["adversarial"] = {
            "weight": model["gan_weight"],
            "ramp": (model["ramp"]["generator_only"], model["ramp"]["ramp"]),
            "objective": named(gan_loss, "name")["name"],
            "base": base and named(base, "name")["name"],
            "label_smoothing": (base or gan_loss)["label_smoothing"],
        }
    if first := model.get("first_stage"):
        (term,) = first["content_loss"]["terms"].items()
        parts = named(first["optimizer_g"], "optimizer") | named(first["scheduler_g"], "schedule")
        recipe["first_stage"] = {"g": parts, term[0]: term[1]["weight"]}
    (recipe["degradation"],) = (
        path.stem
        for path in (ROOT / "conf" / "degradation").glob("*.yaml")
        if OmegaConf.to_container(OmegaConf.load(path)) == OmegaConf.to_container(composed.degradation)
    )
    return recipe


@pytest.mark.parametrize("experiment", RECIPES)
def test_the_recipe_holds_its_numbers(experiment: str) -> None:
    assert read_recipe(experiment) == RECIPES[experiment]


def test_no_experiment_is_without_a_recipe() -> None:
    assert set(experiments()) == {*RECIPES, "quickstart"}  # whose numbers are measured, and published nowhere


def test_plain_train_is_the_source_recipe() -> None:
    assert full() == full("experiment=image_enhancement")


def test_the_stages_of_realesrgan_share_their_data() -> None:
    first, second = full("experiment=realesrnet"), full("experiment=realesrgan")
    assert first["data"] == second["data"]
    assert first["data"]["small_images"] == "pad"


def test_fine_tuning_needs_a_file_to_start_from() -> None:
    cfg = compose_config("experiment=finetune", "data.train_dir=/images")
    assert not Path(cfg.init_from).exists()  # so a run without a file ends with its name
    for choice, extra in (("folder", []), ("paired", ["data.train_lr_dir=/small"])):
        data = full("experiment=finetune", "init_from=a.pth", f"data={choice}", "data.train_dir=/i", *extra)[
            "data"
        ]
        assert (data["sharpen"], data["small_images"]) == (USM, "pad")


@pytest.mark.parametrize("experiment", experiments())
def test_every_experiment_builds_at_every_scale(experiment: str) -> None:
    size = 192  # a multiple of the scales, and of what the discriminators halve
    cfg = compose_config(f"experiment={experiment}", f"data.hr_patch_size={size}")
    cfg = compose_config(f"experiment={experiment}", f"data.hr_patch_size={size}", *small_nets(cfg))
    with torch.device("meta"):
        discriminator = instantiate(cfg.discriminator).eval()
        for cfg.scale in (1, 2, 3, 4):
            sr = instantiate(cfg.generator).eval()(torch.zeros(1, 3, size // cfg.scale, size // cfg.scale))
            assert sr.shape == (1, 3, size, size)
            assert len(discriminator(sr)) == 1
            assert instantiate(cfg.degradation).margin % cfg.scale == 0
