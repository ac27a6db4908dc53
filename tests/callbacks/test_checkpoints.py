"""Which states are kept, and when; that a run goes on from each of them is held by tests/test_resume."""

import os
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from helpers import compose_config, small_gan
from training_runs import rows

from sr.callbacks.checkpoints import Checkpoints
from sr.programs.train import train
from sr.run.whole_checkpoints import WholeCheckpointIO


def run(tmp_path: Path, photos: Path, *overrides: str) -> Path:
    settings = [f"data.val_dir={photos}", "data.iterations_per_epoch=2", "trainer.max_steps=8"]
    train(
        compose_config(*small_gan(tmp_path / "run"), *settings, "model.optimization.ema_decay=0", *overrides)
    )
    return tmp_path / "run" / "checkpoints"


def load(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(file, weights_only=True)
    return content


@pytest.mark.parametrize(("monitor", "sign"), [("psnr_y", -1), ("mse", 1)])
def test_the_best_are_kept_in_order_whichever_way_is_better(
    tmp_path: Path, photos: Path, monitor: str, sign: int
) -> None:
    folder = run(
        tmp_path, photos, f"monitor={monitor}", "callbacks.checkpoints.keep_best=3", "optimizer_g.lr=0.05"
    )
    values = [
        load(folder / f"{name}.ckpt")["provenance"]["metrics"][monitor]
        for name in ("best", "best-1", "best-2")
    ]
    assert values == sorted(values, key=lambda value: sign * value)
    assert len(set(values)) == 3
    assert sorted(path.name for path in folder.iterdir()) == [
        "best-1.ckpt",
        "best-2.ckpt",
        "best.ckpt",
        "best_pixel.ckpt",
        "last-1.ckpt",
        "last.ckpt",
    ]
    assert load(folder / "best_pixel.ckpt")["global_step"] == 2
    assert [load(folder / name)["global_step"] for name in ("last.ckpt", "last-1.ckpt")] == [8, 6]


def test_a_gan_has_a_best_of_its_own(tmp_path: Path, photos: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The discriminator wakes in the fourth iteration."""
    caplog.set_level("INFO")
    folder = run(tmp_path, photos, "callbacks.checkpoints.keep_best=1", "optimizer_g.lr=0.05")
    measured = dict(rows(tmp_path / "run", "val/psnr_y"))
    assert [*measured] == [2, 4, 6, 8]
    assert load(folder / "best_pixel.ckpt")["global_step"] == 2
    best_of_gan = max((4, 6, 8), key=measured.__getitem__)
    assert load(folder / "best.ckpt")["global_step"] == best_of_gan
    assert "best_pixel.ckpt: the best of the phase before GAN; best.ckpt is now the best of it" in caplog.text


def test_a_resumed_gan_leaves_the_best_of_the_pixel_phase_alone(tmp_path: Path, photos: Path) -> None:
    """Killed after the first validation of the GAN, it begins before it once more."""
    folder = run(tmp_path, photos, "trainer.max_steps=4", "callbacks.checkpoints.keep_last=2")
    pixel = (folder / "best_pixel.ckpt").read_bytes()
    (folder / "last.ckpt").unlink()
    (folder / "last-1.ckpt").rename(folder / "last.ckpt")
    assert load(folder / "last.ckpt")["global_step"] == 2
    run(tmp_path, photos, "trainer.max_steps=4", "callbacks.checkpoints.keep_last=2", "resume=auto")
    assert (folder / "best_pixel.ckpt").read_bytes() == pixel
    assert load(folder / "best.ckpt")["global_step"] == 4


def test_a_choice_within_a_margin_goes_back_to_an_older_state(
    tmp_path: Path, photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The values of the four validations are those that the test says."""
    caplog.set_level("INFO")
    scripted = {2: (30.0, 0.9), 4: (30.0, 0.20), 6: (30.1, 0.25), 8: (30.35, 0.30)}

    measured = L.Trainer.callback_metrics.fget

    def callback_metrics(trainer: L.Trainer) -> dict[str, Any]:
        psnr, mse = scripted.get(trainer.global_step, (0.0, 0.0))
        return {**measured(trainer), "val/psnr_y": psnr, "val/mse": mse}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(L.Trainer, "callback_metrics", property(callback_metrics))
        folder = run(tmp_path, photos, "monitor={best: mse, within: {psnr_y: 0.3}}")
    steps = {path.stem: load(path)["global_step"] for path in folder.glob("best*")}
    assert steps == {"best": 6, "best-1": 8, "best_pixel": 2}
    assert "best.ckpt is that of iteration 6 again: mse 2.50e-01, psnr_y 30.10" in caplog.text


@pytest.mark.parametrize(
    ("saved", "kept"),
    [
        ({"monitor": "psnr_y", "best": [31.0, 30.0]}, [31.0, 30.0]),
        ({"best": [31.0, 30.0]}, [31.0, 30.0]),
        ({"monitor": "mse", "best": [0.1]}, []),
    ],
)
def test_the_best_of_an_older_checkpoint_stay_the_best(saved: dict[str, Any], kept: list[float]) -> None:
    """It has values and no states; another metric's values cannot be compared."""
    checkpoints = Checkpoints(directory="unused", monitor="psnr_y")
    checkpoints.load_state_dict({**saved, "epoch_ends": False})
    assert [state["values"] for state in checkpoints.state_dict()["best"]] == [
        {"psnr_y": each} for each in kept
    ]


def test_by_iterations(tmp_path: Path, photos: Path) -> None:
    changes = ("data.iterations_per_epoch=8", "callbacks.checkpoints.every_n_iterations=3")
    folder = run(tmp_path, photos, *changes, "callbacks.checkpoints.keep_last=9")
    found = [load(file)["global_step"] for file in sorted(folder.glob("last*.ckpt"))]
    assert sorted(found) == [3, 6, 8]


def test_by_the_clock(tmp_path: Path, photos: Path) -> None:
    """Asked for after an iteration, agreed on in the next."""
    changes = ("data.iterations_per_epoch=8", "callbacks.checkpoints.every_minutes=1e-9")
    folder = run(tmp_path, photos, *changes, "callbacks.checkpoints.keep_last=9")
    assert sorted(load(file)["global_step"] for file in folder.glob("last*.ckpt")) == [2, 4, 6, 8]


def test_what_a_killed_process_left_is_removed(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    (tmp_path / "run" / "checkpoints" / ".last.ckpt.123.part").write_bytes(b"half")
    folder = run(tmp_path, photos, "trainer.max_steps=2")
    assert sorted(path.name for path in folder.iterdir()) == ["best.ckpt", "last.ckpt"]
    assert os.path.samefile(
        folder / "best.ckpt", folder / "last.ckpt"
    )  # one state takes the room of one file


def test_a_failed_write_names_the_file_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    WholeCheckpointIO().save_checkpoint({"a": torch.zeros(3)}, path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*last\.ckpt'"):
        WholeCheckpointIO().save_checkpoint({"a": torch.ones(3)}, path)
    assert load(path)["a"].sum() == 0
    assert [each.name for each in tmp_path.iterdir()] == ["last.ckpt"]


def test_mistakes_are_named() -> None:
    for changes, message in (
        ({"keep_last": 0}, "keep_last=0 must be 1 or more"),
        ({"every_minutes": -1}, "every_minutes=-1 must be positive, or null"),
    ):
        with pytest.raises(ValueError, match=message):
            Checkpoints(directory="x", monitor="psnr_y", **changes)
