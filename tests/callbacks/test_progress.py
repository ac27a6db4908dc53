"""What the bar of a run shows, and that it fits the terminal."""

import io
import re
from pathlib import Path
from typing import Any

import lightning as L
import pytest
from small_training import BATCH, Pairs, make
from torch.utils.data import DataLoader

from sr.callbacks.progress import FittingBar, RunProgress, phase_at
from sr.training.psnr import PSNRModule
from sr.training.schedule import AdversarialRamp

FIELDS = ["psnr_y=30.27", "loss_g=0.0948", "learning_rate=0.002", "waiting=1%", "memory=0.5GiB"]


def shown(columns: int) -> str:
    out = io.StringIO()
    with FittingBar(lambda: FIELDS, total=2800, desc="pixel", unit="it", ncols=columns, file=out) as bar:
        bar.start_t -= 60  # a minute ago: the rate of an instant could have any number of digits
        bar.update(1400)
        bar.refresh()
        return out.getvalue().split("\r")[-1]


@pytest.mark.parametrize(("columns", "count"), [(60, 0), (80, 1), (100, 2), (160, 5)])
def test_as_many_fields_as_there_is_room_for(columns: int, count: int) -> None:
    text = shown(columns)
    assert len(text) <= columns
    assert re.match(r"pixel:\s+50%\|.{6,}\| 1400/2800 \[", text)
    assert [field for field in FIELDS if field in text] == FIELDS[:count]


def test_a_phase_has_the_name_of_where_the_run_is() -> None:
    two = make(ramp=AdversarialRamp(generator_only=3)).phases()
    assert [phase_at(two, iteration) for iteration in range(5)] == ["pixel"] * 3 + ["GAN"] * 2
    assert make().phases() == {0: "GAN"}
    assert make(PSNRModule).phases() == {0: "pixel"}


def test_the_bar_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class Recorder(L.Callback):
        def on_train_batch_end(self, *_: Any) -> None:
            assert progress._bar is not None
            seen.append(str(progress._bar))

    progress = RunProgress()
    trainer = L.Trainer(
        accelerator="cpu",
        max_steps=4,
        log_every_n_steps=1,
        val_check_interval=1,
        logger=False,
        callbacks=[progress, Recorder()],
        enable_checkpointing=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    module = make(ramp=AdversarialRamp(generator_only=2))
    trainer.fit(module, DataLoader(Pairs(4 * BATCH), BATCH), DataLoader(Pairs(2), 1))
    assert [text.split(":")[0] for text in seen] == ["pixel", "pixel", "GAN", "GAN"]
    assert "4/4" in seen[-1]
    psnr = float(trainer.callback_metrics["val/psnr_y"])
    assert re.search(r"psnr_y=\d+\.\d\d, loss_g=[\d.e-]+, loss_d=[\d.e-]+, learning_rate=0\.001", seen[-1])
    assert psnr > 0
    assert progress._bar is None
