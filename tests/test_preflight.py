"""Checks before a run; most are held by the messages in test_train_errors."""

import logging

import pytest
from helpers import compose_config

from sr.preflight import settle_precision


@pytest.mark.parametrize(
    ("precision", "accelerator", "has_bf16", "settled"),
    [
        ("bf16-mixed", "cpu", False, "32-true"),
        ("bf16-mixed", "cpu", True, "bf16-mixed"),
        ("bf16-mixed", "gpu", False, "32-true"),
        ("bf16-mixed", "gpu", True, "bf16-mixed"),
        ("32-true", "cpu", True, "32-true"),
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
    monkeypatch.setattr("sr.preflight.has_bf16", lambda device: has_bf16)
    trainer = compose_config(f"trainer.precision={precision}", f"trainer.accelerator={accelerator}").trainer
    with caplog.at_level(logging.INFO):
        settle_precision(trainer)
    assert trainer.precision == settled
    assert ("has no bf16, so training runs in 32-true" in caplog.text) == (settled != precision)
