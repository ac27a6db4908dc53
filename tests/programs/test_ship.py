"""From a finished run to a net in the package."""

import json
from pathlib import Path

import pytest
import torch
from helpers import ROOT, WITHOUT_CURVES, compose_config, picture
from safetensors import safe_open
from safetensors.torch import load_file

from sr.commands.ship import parse
from sr.pictures.writing import write_png
from sr.programs.ship import recipe_of, run
from sr.programs.train import train
from sr.zoo.card import page

SMALL = [
    *("experiment=zoo/classic_x2", "logger=csv", WITHOUT_CURVES, "trainer.accelerator=cpu"),
    *("trainer.precision=32-true", "generator.num_feat=4", "generator.num_conv=1", "data.num_images=2"),
    *("data.image_size=64", "data.hr_patch_size=32", "data.batch_size=2", "data.num_workers=0"),
    *("data.iterations_per_epoch=2", "trainer.max_steps=2", "callbacks.samples.count=0"),
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two iterations; its validation and the maker's look at whole photographs, which takes seconds."""
    folder = tmp_path_factory.mktemp("run")
    write_png(folder / "hr" / "a.png", picture(48, 48))
    train(compose_config(*SMALL, f"run_dir={folder}/run", f"data.val_dir={folder}/hr"))
    return folder / "run"


@pytest.fixture(scope="module")
def made(finished: Path) -> Path:
    """The folder with what is made of it."""
    out = finished.parent / "made"
    run(
        parse(
            [str(finished), "--name", "classic-x2", "--out", str(out), "--set", f"own={finished.parent}/hr"]
        )
    )
    return out


def metadata(file: Path) -> dict[str, str]:
    with safe_open(file, framework="pt") as opened:
        found: dict[str, str] = opened.metadata()
    return found


def change(finished: Path, tmp_path: Path, **config: object) -> Path:
    """A copy of the run whose checkpoint says something else."""
    content = torch.load(finished / "checkpoints" / "last.ckpt", weights_only=True)
    content["config"] |= config
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    torch.save(content, tmp_path / "run" / "checkpoints" / "last.ckpt")
    return tmp_path / "run"


def test_the_file_has_the_averaged_weights_in_fp16(finished: Path, made: Path) -> None:
    content = torch.load(finished / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    stored = load_file(made / "classic-x2.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.float16}
    for key, value in stored.items():
        assert torch.equal(value, content[f"generator_ema.{key}"].half())


def test_the_card_says_how_the_net_was_made_and_how_good_it_is(finished: Path, made: Path) -> None:
    card = metadata(made / "classic-x2.safetensors")
    assert (made / "classic-x2.md").read_text() == page(card)
    assert (card["name"], card["recipe"], card["license"]) == ("classic-x2", "zoo/classic_x2", "MIT")
    assert card["description"] == recipe_of("classic-x2").comment
    assert card["description"].startswith("Enlarges clean pictures twice")
    assert (card["scale"], card["seed"], card["iteration"]) == ("2", "0", "2")
    assert 0 < float(card["seconds"]) < 600
    changed = [each.partition(": ")[0] for each in json.loads(card["changed"])]
    assert {"generator.num_feat", "trainer.max_steps", "data.num_images", "data.val_dir"} <= set(changed)
    assert not {"name", "run_dir", "seed", "scale", "optimizer_g.lr"} & set(changed)
    assert "data.val_dir: another directory" in json.loads(card["changed"])
    assert str(finished.parent) not in str(card)
    said = json.loads(card["measured"])
    assert said["protocol"] == "esrgan_paper"
    assert said["lr"].startswith("MATLAB's antialiased bicubic, x2")
    assert list(said["sets"]) == ["scikit-image", "own"]
    assert [found["images"] for found in said["sets"].values()] == [3, 1]
    for found in said["sets"].values():
        assert found["bicubic"]["psnr_y"] == round(found["bicubic"]["psnr_y"], 2) > 20
        assert set(found["net"]) == {"psnr_y", "ssim_y"}


def test_the_same_run_gives_the_same_bytes(finished: Path, made: Path, tmp_path: Path) -> None:
    given = ["--name", "classic-x2", "--out", str(tmp_path), "--set", f"own={finished.parent}/hr"]
    run(parse([str(finished), *given]))
    for name in ("classic-x2.safetensors", "classic-x2.md"):
        assert (tmp_path / name).read_bytes() == (made / name).read_bytes()


def test_a_name_without_a_recipe_is_refused(finished: Path, tmp_path: Path) -> None:
    names = sorted(file.stem.replace("_", "-") for file in (ROOT / "conf/experiment/zoo").glob("*.yaml"))
    for name in ("classic-x8", "classic_x2"):
        with pytest.raises(ValueError, match=f"--name={name}: .* has recipes for {', '.join(names)}"):
            run(parse([str(finished), "--name", name, "--out", str(tmp_path)]))
    assert not list(tmp_path.iterdir())


def test_a_run_that_is_not_finished_is_refused(finished: Path, tmp_path: Path) -> None:
    longer = change(finished, tmp_path, trainer={"max_steps": 8000})
    with pytest.raises(ValueError, match=r"last\.ckpt: 2 of 8000 iterations are done: resume=auto goes on"):
        run(parse([str(longer), "--name", "classic-x2", "--out", str(tmp_path)]))


def test_a_run_from_other_weights_is_refused(finished: Path, tmp_path: Path) -> None:
    other = change(finished, tmp_path, init_from="published.pth")
    with pytest.raises(ValueError, match=r"started from init_from=published\.pth, the recipe from None"):
        run(parse([str(other), "--name", "classic-x2", "--out", str(tmp_path)]))


def test_a_set_needs_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["run", "--name", "classic-x2", "--set", "Set5"])
    assert "'Set5' is not NAME=DIR, such as set5=Set5/HR" in capsys.readouterr().err
