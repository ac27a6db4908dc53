"""The nets that lie in the package: each is what its card says, and better than bicubic."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from evaluation_runs import run_evaluation
from helpers import ROOT, compose_config
from hydra.utils import instantiate
from safetensors.torch import load_file
from skimage import data

from sr.archs.bicubic import Bicubic
from sr.ops.image import to_float
from sr.programs.ship import recipe_of
from sr.weights.generator import load_generator
from sr.zoo.card import measured, page
from sr.zoo.shipped import DEFAULT, FOLDER, net_names, read_card, shipped_file

LARGEST = 2_000_000  # bytes of all files together
# What may differ from the recipe: where a run took place, and not what it computes.
OF_THE_MACHINE = re.compile(r"trainer\.(accelerator|precision|devices)|cpu_threads|compile|data\.num_workers")
SIDE = 240  # of the middle of a photograph

nets = pytest.mark.parametrize("name", net_names())


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((first.clip(0, 1) - second) ** 2)))


def test_the_default_is_there_and_all_are_small() -> None:
    files = [*FOLDER.glob("*.safetensors"), *FOLDER.glob("*.md")]
    assert sum(file.stat().st_size for file in files) <= LARGEST
    assert not net_names() or DEFAULT in net_names()
    assert {file.stem for file in FOLDER.glob("*.md")} == set(net_names())


@nets
def test_the_card_is_true(name: str) -> None:
    card = read_card(name)
    assert card["name"] == name
    assert (FOLDER / f"{name}.md").read_text() == page(card)
    assert card["license"] == "MIT"
    assert re.fullmatch("[0-9a-f]{40}", card["git_revision"])
    recipe = recipe_of(name)
    assert card["recipe"] == f"{recipe.group}/{recipe.name}"
    assert card["description"].endswith(".")
    assert (ROOT / "conf" / "experiment" / f"{card['recipe']}.yaml").is_file()
    cfg = compose_config(f"experiment={card['recipe']}")
    assert (int(card["scale"]), int(card["iteration"])) == (cfg.scale, cfg.trainer.max_steps)
    assert card["data"] == "DeadLeavesData"
    assert int(card["seed"]) >= 0
    assert float(card["seconds"]) > 0
    changed = [each.partition(": ")[0] for each in json.loads(card.get("changed", "[]"))]
    assert [key for key in changed if not OF_THE_MACHINE.fullmatch(key)] == []
    for found in measured(card)["sets"].values():
        assert found["images"] > 0
        for role in ("net", "bicubic"):
            assert 15 < found[role]["psnr_y"] < 60
            assert 0.3 < found[role]["ssim_y"] < 1


@nets
def test_the_file_holds_halves_and_its_net(name: str) -> None:
    trained = load_generator(shipped_file(name))
    card = read_card(name)
    assert (trained.scale, trained.channels, trained.normalise) == (int(card["scale"]), 3, None)
    assert trained.checkpoint.checksum == "SHA-256"
    assert {value.dtype for value in load_file(shipped_file(name)).values()} == {torch.float16}


@nets
def test_a_photograph_is_nearer_to_hr_than_bicubic(name: str) -> None:
    """A GAN pays for texture in PSNR, so general-x4 only has to stay near."""
    trained = load_generator(shipped_file(name))
    whole = to_float(data.chelsea())
    top, left = ((side - SIDE) // 2 for side in whole.shape[:2])
    hr = whole[top : top + SIDE, left : left + SIDE]
    cfg = compose_config(f"experiment={read_card(name)['recipe']}")
    lr = instantiate(cfg.degradation).draw(np.random.default_rng(0)).apply(hr)
    image = torch.from_numpy(lr.transpose(2, 0, 1).copy())[None]
    with torch.no_grad():
        made, bicubic = (
            net(image)[0].permute(1, 2, 0).numpy() for net in (trained.net, Bicubic(scale=trained.scale))
        )
    assert made.shape == hr.shape
    gain = psnr(made, hr) - psnr(bicubic, hr)
    assert gain > (0.1 if name.startswith("classic") else -0.5)
    assert np.abs(made.mean(axis=(0, 1)) - hr.mean(axis=(0, 1))).max() < 0.02


@pytest.mark.slow
@nets
def test_the_numbers_are_those_of_an_evaluation(name: str, tmp_path: Path) -> None:
    card = read_card(name)
    option = compose_config(f"experiment={card['recipe']}").degradation._target_.rpartition(".")[2]
    degradation = "bicubic" if option == "BicubicDegradation" else "realesrgan_mild"
    given = (f"degradation={degradation}", "protocol=esrgan_paper", "device=cpu", "report_images=0")
    found = run_evaluation(f"ckpt={name}", f"out_dir={tmp_path}", *given)
    said = measured(card)["sets"]["scikit-image"]
    (own,) = found.sets.values()
    assert own.originals == said["images"]
    for role, model in (("net", name), ("bicubic", "bicubic")):
        assert own.means[model]["psnr_y"].value == pytest.approx(said[role]["psnr_y"], abs=0.011)
        assert own.means[model]["ssim_y"].value == pytest.approx(said[role]["ssim_y"], abs=0.00011)
