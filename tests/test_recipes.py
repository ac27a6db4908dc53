"""The recipes hold the published numbers: those of the papers and of the reference implementations' option files."""

from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import ROOT, compose_config, experiments, small_nets
from hydra.utils import instantiate
from omegaconf import OmegaConf
from recipes import RECIPES, USM


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
    # The numbers of the others are measured, and published nowhere.
    ours = {name for name in experiments() if name == "quickstart" or name.startswith("zoo/")}
    assert set(experiments()) == {*RECIPES, *ours}


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


SLOW_TO_BUILD = ("dat", "hat", "swinir_classical", "swinir_real", "omnisr")  # several seconds each


@pytest.mark.parametrize(
    "experiment",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW_TO_BUILD)) for name in experiments()],
)
def test_every_experiment_builds_at_every_scale(experiment: str) -> None:
    size = 192  # a multiple of the scales, and of what the discriminators halve
    cfg = compose_config(f"experiment={experiment}", f"data.hr_patch_size={size}")
    cfg = compose_config(f"experiment={experiment}", f"data.hr_patch_size={size}", *small_nets(cfg))
    with torch.device("meta"):
        discriminator = instantiate(cfg.discriminator).eval()
        for cfg.scale in (1, 2, 3, 4):
            sr = instantiate(cfg.generator).eval()(torch.zeros(1, cfg.channels, *[size // cfg.scale] * 2))
            assert sr.shape == (1, cfg.channels, size, size)
            assert len(discriminator(sr)) == 1
            assert instantiate(cfg.degradation).margin % cfg.scale == 0
