"""Checks before a run; most are held by the messages in test_train_errors."""

import logging
from pathlib import Path

import pytest
from helpers import compose_config

from sr.run.preflight import (
    check_files,
    check_scales,
    check_trainer,
    settle_precision,
    warn_of_torchrun,
    warn_of_workers,
)


@pytest.mark.parametrize(
    ("precision", "accelerator", "has_bf16", "settled"),
    [
        ("bf16-mixed", "cpu", False, "32-true"),
        ("bf16-mixed", "cpu", True, "bf16-mixed"),
        ("bf16-mixed", "gpu", False, "32-true"),
        ("bf16-mixed", "gpu", True, "bf16-mixed"),
        ("32-true", "cpu", True, "32-true"),
        ("16-mixed", "gpu", False, "16-mixed"),
    ],
)
def test_bf16_is_not_computed_where_it_would_be_slow(
    precision: str,
    accelerator: str,
    has_bf16: bool,
    settled: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("sr.run.preflight.has_bf16", lambda device: has_bf16)
    monkeypatch.setattr("sr.run.preflight.has_fast_fp16", lambda device: device.type == "cuda")
    trainer = compose_config(f"trainer.precision={precision}", f"trainer.accelerator={accelerator}").trainer
    with caplog.at_level(logging.INFO):
        settle_precision(trainer)
    assert trainer.precision == settled
    assert ("has no bf16, so training runs in 32-true" in caplog.text) == (settled != precision)
    assert ("trainer.precision=16-mixed is faster on it" in caplog.text) == (
        settled != precision and accelerator == "gpu"
    )


def test_fp16_where_it_is_slow_is_said(caplog: pytest.LogCaptureFixture) -> None:
    trainer = compose_config("trainer.precision=16-mixed", "trainer.accelerator=cpu").trainer
    settle_precision(trainer)
    assert trainer.precision == "16-mixed"
    assert "trainer.precision=16-mixed: fp16 is slower than 32-true on this cpu" in caplog.text


@pytest.mark.parametrize(
    ("workers", "devices", "words"),
    [
        (4, 1, None),
        (2, 2, None),
        (5, 1, "data.num_workers=5: more loader processes than the 4 CPU core(s) here"),
        (
            3,
            2,
            "data.num_workers=3 in each of 2 processes: more loader processes than the 4 CPU core(s) here",
        ),
    ],
)
def test_more_workers_than_cores(
    workers: int,
    devices: int,
    words: str | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1, 2, 3}, raising=False)
    warn_of_workers(compose_config(f"data.num_workers={workers}", f"trainer.devices={devices}"))
    assert (words or "") in caplog.text
    assert bool(words) == bool(caplog.text)


@pytest.mark.parametrize(
    ("restarts", "own_store", "warned"),
    [(None, None, False), ("0", None, False), ("3", None, True), ("3", "1", False)],
)
def test_torchrun_s_restarts_need_a_setting(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    restarts: str | None,
    own_store: str | None,
    warned: bool,
) -> None:
    for name, value in (
        ("TORCHELASTIC_MAX_RESTARTS", restarts),
        ("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", own_store),
    ):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    warn_of_torchrun()
    assert ("TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1" in caplog.text) == warned


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("devices=0", r"trainer\.devices=0 must be 1 or more"),
        ("devices=-2", r"trainer\.devices=-2 must be 1 or more"),
        ("num_nodes=0", r"trainer\.num_nodes=0 must be 1 or more"),
        ("log_every_n_steps=0", r"trainer\.log_every_n_steps=0 must be 1 or more"),
        ("check_val_every_n_epoch=0", r"trainer\.check_val_every_n_epoch=0 must be 1 or more"),
        ("val_check_interval=0", r"trainer\.val_check_interval=0 must be 1 or more"),
        ("max_steps=0", r"trainer\.max_steps=0 must be 1 or more; -1 sets no limit"),
        ("max_steps=-5", r"trainer\.max_steps=-5 must be 1 or more; -1 sets no limit"),
        ("max_epochs=0", r"trainer\.max_epochs=0 must be 1 or more; -1 sets no limit"),
    ],
)
def test_a_trainer_that_would_do_nothing_is_refused_by_key(override: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_trainer(compose_config(f"trainer.{override}").trainer)


@pytest.mark.parametrize(
    "override", ["devices=-1", "devices=auto", "max_steps=-1", "max_epochs=null", "val_check_interval=0.5"]
)
def test_what_lightning_understands_passes(override: str) -> None:
    check_trainer(compose_config(f"trainer.{override}").trainer)


@pytest.mark.parametrize("key", ["init_from", "init_discriminator_from"])
def test_a_folder_is_no_file_of_weights(key: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=rf"{key}: checkpoint .* is a folder: name a file of weights"):
        check_files(compose_config(f"{key}={tmp_path}"))
    with pytest.raises(FileNotFoundError, match=rf"{key}: checkpoint nowhere does not exist: name a file"):
        check_files(compose_config(f"{key}=nowhere"))


def test_a_net_of_a_user_decides_for_itself_what_its_sizes_can_be() -> None:
    cfg = compose_config("+generator.num_attention_blocks=0", "+discriminator.num_scales=-1")
    check_scales(cfg)
    cfg.generator.scale = 2
    with pytest.raises(ValueError, match=r"generator\.scale=2 is not scale=4"):
        check_scales(cfg)
