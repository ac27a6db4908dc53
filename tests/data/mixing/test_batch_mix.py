"""Which mix comes when, and that only batches of training are mixed."""

import collections
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pytest
import torch
from helpers import run_program
from processes import ROOT
from small_data import batches, folder
from small_training import make
from torch import Tensor
from training_runs import run, state

from sr.data.mixing.batch_mix import BatchMix, ChosenMix
from sr.data.mixing.cutblur import CutBlur
from sr.data.mixing.cutmix import CutMix
from sr.data.mixing.mixup import MixUp
from sr.data.mixing.regions import Images
from sr.data.mixing.resizemix import ResizeMix
from sr.training.psnr import PSNRModule

QUIET: dict[str, Any] = {
    **dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False),
    "use_distributed_sampler": False,
    "log_every_n_steps": 1,
}


class Seen(L.Callback):
    """Keeps the batches as steps get them."""

    def __init__(self) -> None:
        self.training: list[dict[str, Any]] = []
        self.validation: list[dict[str, Any]] = []

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.training.append(batch)

    def on_validation_batch_start(self, trainer: Any, pl_module: Any, batch: Any, *_: Any) -> None:
        self.validation.append(batch)


class Marked:
    """Gives every pixel one value."""

    needs_others = False

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, images: Images, *, rng: np.random.Generator) -> dict[str, Tensor]:
        return {name: torch.full_like(image, self.value) for name, image in images.items()}


def every_mix() -> dict[str, ChosenMix]:
    mixes = {"mixup": MixUp(), "cutmix": CutMix(), "resizemix": ResizeMix(), "cutblur": CutBlur()}
    return {name: ChosenMix(probability=0.25, mix=mix) for name, mix in mixes.items()}


def batch() -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    hr = torch.rand(3, 3, 32, 32, generator=generator)
    return {"lr": torch.rand(3, 3, 8, 8, generator=generator), "hr": hr, "target": 1 - hr, "index": 7}


def test_each_comes_as_often_as_its_probability_says() -> None:
    mixes = {
        name: ChosenMix(probability=p, mix=Marked(v)) for name, p, v in (("a", 0.2, 0.1), ("b", 0.5, 0.2))
    }
    mix = BatchMix(mixes=mixes, batch_size=1, seed=0)
    images = {"lr": torch.zeros(1, 3, 1, 1), "hr": torch.zeros(1, 3, 4, 4)}
    found = collections.Counter(
        round(float(mix(images, process=0, iteration=number)["lr"].mean()), 3) for number in range(4000)
    )
    for value, share in ((0.1, 0.2), (0.2, 0.5), (0.0, 0.3)):
        assert found[value] / 4000 == pytest.approx(share, abs=0.03)


def test_what_is_drawn_follows_from_seed_process_and_iteration() -> None:
    def mixed(*, seed: int = 0, process: int = 0, iteration: int = 0) -> Tensor:
        mix = BatchMix(mixes=every_mix(), batch_size=3, seed=seed)
        return mix(batch(), process=process, iteration=iteration)["lr"]

    base = mixed()
    assert torch.equal(base, mixed())
    changes = ({"seed": 1}, {"process": 1}, {"iteration": 1})
    assert all(not torch.equal(base, mixed(**change)) for change in changes)


def test_everything_else_in_a_batch_is_passed_on_and_the_batch_left_alone() -> None:
    original = batch()
    before = {name: value.clone() if name != "index" else value for name, value in original.items()}
    mixed = BatchMix(mixes=every_mix(), batch_size=3, seed=0)(original, process=0, iteration=3)
    assert mixed.keys() == original.keys()
    assert mixed["index"] == 7
    assert all(torch.equal(original[name], before[name]) for name in ("lr", "hr", "target"))


@pytest.mark.parametrize(
    ("mixes", "size", "message"),
    [
        (
            {"a": ChosenMix(probability=0.7, mix=CutBlur()), "b": ChosenMix(probability=0.4, mix=CutBlur())},
            2,
            r"mixing: the probabilities \(a 0\.7, b 0\.4\) add up to 1\.1, which is more than 1",
        ),
        (
            {"mixup": ChosenMix(probability=0.1, mix=MixUp())},
            1,
            r"data\.batch_size=1: mixing\.mixup mixes an image with another .* or write mixing=\[cutblur\]",
        ),
    ],
)
def test_what_cannot_be_is_refused(mixes: dict[str, ChosenMix], size: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BatchMix(mixes=mixes, batch_size=size, seed=0)


def test_a_probability_out_of_range_and_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match=r"probability=1\.5 of CutBlur must be in \[0, 1\]"):
        ChosenMix(probability=1.5, mix=CutBlur())
    with pytest.raises(TypeError, match=r"mixing\['mixup'\] is .*, not a ChosenMix"):
        BatchMix(mixes={"mixup": MixUp()}, batch_size=2, seed=0)  # type: ignore[dict-item]


def test_cutblur_alone_mixes_a_batch_of_one(photos: Path) -> None:
    cutblur = {"cutblur": ChosenMix(probability=1.0, mix=CutBlur())}
    assert len(batches(folder(photos, batch_size=1, mixing=cutblur))) == 4
    with pytest.raises(ValueError, match=r"data\.batch_size=1: mixing\.mixup"):
        folder(photos, batch_size=1, mixing=every_mix())


def test_batches_of_training_are_mixed_and_those_of_validation_are_not(tmp_path: Path, photos: Path) -> None:
    """Nor those of the check before training, which Lightning hands to the same hook."""
    data, seen = folder(photos, iterations_per_epoch=3, mixing=every_mix()), Seen()
    settings: dict[str, Any] = {"accelerator": "cpu", "max_epochs": 1, "num_sanity_val_steps": 1}
    trainer = L.Trainer(**settings, **QUIET, default_root_dir=tmp_path, callbacks=[seen])
    trainer.fit(make(PSNRModule), datamodule=data)
    plain = folder(photos, iterations_per_epoch=3)
    mix, changed = BatchMix(mixes=every_mix(), batch_size=3, seed=0), 0
    for number, (found, raw) in enumerate(zip(seen.training, batches(plain), strict=True)):
        expected = mix(raw, process=0, iteration=number)
        assert torch.equal(found["lr"], expected["lr"])
        assert torch.equal(found["hr"], expected["hr"])
        changed += not torch.equal(found["lr"], raw["lr"])
    assert changed
    whole = list(plain.val_dataloader())
    for found, raw in zip(seen.validation, [whole[0], *whole], strict=True):
        assert torch.equal(found["lr"], raw["lr"])


def test_a_run_from_the_command_line_mixes(tmp_path: Path, photos: Path) -> None:
    words = [
        "mixing=[mixup,cutmix,resizemix]",
        "mixing.mixup.probability=0.8",
        f"data.val_dir={photos}",
    ]
    plain = run("esrgan_psnr", tmp_path, words[-1], name="plain")
    mixed = run("esrgan_psnr", tmp_path, *words, name="mixed")
    one, other = (state(each, "generator.") for each in (plain, mixed))
    assert any(not torch.equal(value, other[key]) for key, value in one.items())
    saved = torch.load(mixed / "checkpoints" / "last.ckpt", weights_only=True)["config"]["data"]["mixing"]
    assert {name: chosen["probability"] for name, chosen in saved.items()} == {
        "mixup": 0.8,
        "cutmix": 0.084,
        "resizemix": 0.084,
    }


PROGRAM = """
import os
import sys
from pathlib import Path
sys.path[:0] = [{root!r}, {root!r} + "/tests", {root!r} + "/tests/data/mixing"]
import lightning as L
import torch
torch.set_num_threads(1)
from small_data import folder
from small_training import make
from sr.training.psnr import PSNRModule
from test_batch_mix import QUIET, Seen, every_mix

if __name__ == "__main__":
    data, seen = folder(Path({photos!r}), iterations_per_epoch=2, mixing=every_mix()), Seen()
    several = dict(accelerator="cpu", devices=2, strategy="ddp", max_epochs=1, limit_val_batches=0)
    trainer = L.Trainer(**several, **QUIET, default_root_dir={out!r}, callbacks=[seen])
    trainer.fit(make(PSNRModule), datamodule=data)
    torch.save([batch["lr"] for batch in seen.training], Path({out!r}) / f"process-{{trainer.global_rank}}.pt")
"""


@pytest.mark.slow
def test_every_process_mixes_its_own_part_in_its_own_way(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "program.py").write_text(
        PROGRAM.format(root=str(ROOT), out=str(tmp_path), photos=str(photos))
    )
    done = run_program(str(tmp_path / "program.py"))
    assert done.returncode == 0, done.stderr
    whole = batches(folder(photos, batch_size=6, iterations_per_epoch=2))
    mix = BatchMix(mixes=every_mix(), batch_size=3, seed=0)
    for process in range(2):
        found = torch.load(tmp_path / f"process-{process}.pt")
        for iteration, (lr, batch) in enumerate(zip(found, whole, strict=True)):
            own = {name: value[3 * process : 3 * process + 3] for name, value in batch.items()}
            assert torch.equal(lr, mix(own, process=process, iteration=iteration)["lr"])
