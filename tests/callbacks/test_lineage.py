import logging
from types import SimpleNamespace
from typing import Any

import pytest

from sr.callbacks import lineage
from sr.callbacks.lineage import ArtifactLineage


class Logger:
    def __init__(self, *, offline: bool) -> None:
        self.used: list[str] = []
        self.experiment = SimpleNamespace(offline=offline, use_artifact=self.used.append)


def test_a_run_says_which_artifacts_it_starts_from(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lineage, "WandbLogger", Logger)
    caplog.set_level(logging.WARNING)
    online, offline = Logger(offline=False), Logger(offline=True)
    trainer: Any = SimpleNamespace(loggers=[online, offline, object()])
    callback = ArtifactLineage(starts=["wandb:me/project/net:best", "file.ckpt", None])
    callback.on_fit_start(trainer, SimpleNamespace())  # type: ignore[arg-type]
    assert online.used == ["me/project/net:best"]
    assert offline.used == []
    assert "its graph will not show that this run starts from me/project/net:best" in caplog.text
