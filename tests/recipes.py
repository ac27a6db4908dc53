"""The published numbers of every recipe, in the words of `test_recipes.read_recipe`."""

from typing import Any

from recipe_nets import (
    COMPACT,
    DAT,
    DAT_LIGHT,
    EDSR,
    HAT,
    OMNISR,
    RCAN,
    REALPLKSR,
    RRDB,
    SPAN,
    SWINIR,
    SWINIR_LIGHT,
    UNET,
    VGG,
)

Recipe = dict[str, Any]


def adam(rate: float, *, second: float = 0.99) -> Recipe:
    return {"optimizer": "Adam", "lr": rate, "betas": [0.9, second]}


def halved_at(*milestones: int) -> Recipe:
    return {"schedule": "MultiStepLR", "milestones": [*milestones], "gamma": 0.5}


def steps(count: int) -> Recipe:
    return {"max_epochs": -1, "max_steps": count}


def patches(*, lr: int, batch_size: int, scale: int = 4) -> Recipe:
    return {"batch_size": batch_size, "hr": lr * scale, "lr": lr}


CONSTANT = {"schedule": "ConstantLR", "factor": 1.0, "total_iters": 0}
RESTARTS = {"schedule": "CosineAnnealingWarmRestarts", "T_0": 250_000, "eta_min": 1e-7}
EVERY_200K = {"schedule": "StepLR", "step_size": 200_000, "gamma": 0.5}
HALVINGS = halved_at(50_000, 100_000, 200_000, 300_000)
HALVINGS_500K = halved_at(250_000, 400_000, 450_000, 475_000)
HALVINGS_600K = halved_at(400_000, 500_000, 550_000, 575_000)
CONV5_4 = {"weight": 1.0, "layers": {"conv5_4": 1.0}, "distance": "l1"}
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

IMAGE_ENHANCEMENT: Recipe = {
    "generator": RRDB,
    "discriminator": UNET,
    "g": adam(2e-4) | CONSTANT,
    "d": adam(1e-4, second=0.999) | CONSTANT,
    "length": {"max_epochs": 10, "max_steps": -1},
    "patches": patches(lr=96, batch_size=4),
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
    "length": steps(1_000_000),
    "patches": patches(lr=32, batch_size=16),
    "l1": 1.0,
    "perceptual": None,
    "adversarial": None,
}
ESRGAN = ESRGAN_PSNR | {
    "discriminator": VGG,
    "g": adam(1e-4) | HALVINGS,
    "d": adam(1e-4) | HALVINGS,
    "length": steps(400_000),
    "l1": 1e-2,
    "perceptual": CONV5_4,
    "adversarial": {"weight": 5e-3, "ramp": (0, 0)} | RELATIVISTIC,
}
TWO_STAGE = ESRGAN | {
    "length": steps(1_400_000),
    "adversarial": ESRGAN["adversarial"] | {"ramp": (1_000_000, 0)},
    "first_stage": {"g": ESRGAN_PSNR["g"], "l1": ESRGAN_PSNR["l1"]},
}
REALESRNET = ESRGAN_PSNR | {
    "g": adam(2e-4) | CONSTANT,
    "patches": patches(lr=64, batch_size=12),
    "degradation": "realesrgan",
    "sharpen": USM,
    "augmentation": FLIPS,
}
REALESRGAN = REALESRNET | {
    "discriminator": UNET,
    "g": adam(1e-4) | CONSTANT,
    "d": adam(1e-4) | CONSTANT,
    "length": steps(400_000),
    "perceptual": FIVE_LAYERS,
    "adversarial": {"weight": 0.1, "ramp": (0, 0)} | VANILLA,
}
EDSR_RECIPE = ESRGAN_PSNR | {
    "generator": EDSR,
    "g": adam(1e-4, second=0.999) | EVERY_200K,
    "length": steps(300_000),
    "patches": patches(lr=48, batch_size=16),
}
SWINIR_CLASSICAL = ESRGAN_PSNR | {
    "generator": SWINIR,
    "g": adam(2e-4, second=0.999) | HALVINGS_500K,
    "length": steps(500_000),
    "patches": patches(lr=48, batch_size=4),
}
DAT_RECIPE = ESRGAN_PSNR | {
    "generator": DAT,
    "g": adam(2e-4) | HALVINGS_500K,
    "length": steps(500_000),
    "patches": patches(lr=64, batch_size=8),
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
    | {"generator": RRDB | {"scale": 2}, "patches": patches(lr=128, batch_size=12, scale=2)},
    "realesrgan_anime": REALESRGAN | {"generator": RRDB | {"num_block": 6}},
    "edsr": EDSR_RECIPE,
    "rcan": EDSR_RECIPE | {"generator": RCAN, "length": steps(1_000_000)},
    "span": ESRGAN_PSNR
    | {"generator": SPAN, "g": adam(5e-4) | EVERY_200K, "patches": patches(lr=64, batch_size=64)},
    "realplksr": ESRGAN_PSNR
    | {
        "generator": REALPLKSR,
        "g": adam(2e-4) | halved_at(100_000, 200_000, 300_000, 400_000, 425_000),
        "length": steps(450_000),
        "patches": patches(lr=96, batch_size=16),
        "l1": None,
        "charbonnier": (1.0, 1e-6),
    },
    "swinir_classical": SWINIR_CLASSICAL,
    "swinir_light": SWINIR_CLASSICAL | {"generator": SWINIR_LIGHT, "patches": patches(lr=64, batch_size=8)},
    "swinir_real": REALESRGAN
    | {
        "generator": SWINIR | {"upsampler": "nearest+conv"},
        "g": adam(1e-4, second=0.999) | HALVINGS_600K,
        "d": adam(1e-4, second=0.999) | HALVINGS_600K,
        "length": steps(600_000),
        "patches": patches(lr=64, batch_size=4),
        "degradation": "bsrgan",
        "sharpen": None,
        "augmentation": TURNS,
    },
    "hat": SWINIR_CLASSICAL
    | {"generator": HAT, "g": adam(2e-4) | HALVINGS_500K, "patches": patches(lr=64, batch_size=4)},
    "dat": DAT_RECIPE,
    "dat_light": DAT_RECIPE | {"generator": DAT_LIGHT},
    "omnisr": ESRGAN_PSNR
    | {
        "generator": OMNISR,
        "g": {"optimizer": "AdamW", "lr": 5e-4, "betas": [0.9, 0.999], "weight_decay": 1e-4}
        | halved_at(200_000, 400_000, 600_000),
        "length": steps(800_000),
        "patches": patches(lr=64, batch_size=64),
        "ema_decay": 0.0,
    },
    "multispectral": ESRGAN
    | {
        "generator": RRDB | {"num_block": 16},
        "g": adam(1e-5) | CONSTANT | {"betas": [0.0, 0.99], "eps": 1e-7},
        "d": adam(5e-5) | CONSTANT | {"betas": [0.0, 0.99], "eps": 1e-7},
        "length": steps(200_000),
        "patches": patches(lr=32, batch_size=6),
        "l1": 1.0,
        "perceptual": CONV5_4 | {"weight": 0.05},
        "adversarial": {"weight": 1e-3, "ramp": (5000, 500)} | VANILLA | {"label_smoothing": 0.1},
    },
    # Ours from here on: published nets and settings, lengths of our choice.
    "finetune": REALESRGAN | {"length": steps(50_000)},
    "compact_general": REALESRGAN
    | {
        "generator": COMPACT,
        "g": adam(2e-4) | halved_at(500_000),
        "length": steps(900_000),
        "patches": patches(lr=60, batch_size=12),
        "adversarial": {"weight": 0.1, "ramp": (500_000, 10_000)} | VANILLA,
    },
}
