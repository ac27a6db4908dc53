"""What a logger needs to be told of checkpoints."""

from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class CheckpointLogger(Protocol):
    """A logger that takes checkpoints."""

    def log_checkpoint(self, file: Path, kind: str) -> None:
        """Take a checkpoint that has just been saved; `kind` is `best` or `last`. The file may be replaced later."""
