"""A resumed run hides what was logged behind its checkpoint."""

from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sr.loggers.tensorboard import ResumableTensorBoardLogger


def logger(folder: Path) -> ResumableTensorBoardLogger:
    return ResumableTensorBoardLogger(save_dir=str(folder), name="", version="")


def test_one_curve_after_a_resume(tmp_path: Path) -> None:
    first = logger(tmp_path)
    for step in range(1, 7):
        first.log_metrics({"loss": float(step)}, step=step)
    first.finalize("failed")
    resumed = logger(tmp_path)
    resumed.rewind(3)
    for step in range(4, 9):
        resumed.log_metrics({"loss": 10.0 + step}, step=step)
    resumed.finalize("success")
    events = EventAccumulator(str(tmp_path)).Reload().Scalars("loss")
    assert [(event.step, event.value) for event in events] == [
        *((step, step) for step in range(1, 4)),
        *((step, 10 + step) for step in range(4, 9)),
    ]
