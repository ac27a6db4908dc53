"""The settings of an update that both nets share: average, warm-up, clipping and accumulation."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Optimization:
    """How batches become updates of weights, the same for the generator and the discriminator.

    Attributes:
        ema_decay: the decay of the generator's average, in [0, 1) (`sr.training.ema`).
        warmup_iterations: the length of the linear learning-rate warm-up.
        gradient_clip: the largest norm of the gradient of each net; None does not clip.
        accumulate: the number of micro-batches that a batch is cut into to save memory. The batch size stays what it
            is, so an iteration, an epoch and a learning rate mean the same with any value; only what looks at a batch
            as a whole (relativistic averages, batch norm) sees the parts.

    Raises:
        ValueError: a number is out of its range; the message names its key.
    """

    ema_decay: float = 0.999
    warmup_iterations: int = 0
    gradient_clip: float | None = None
    accumulate: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"model.optimization.ema_decay={self.ema_decay} must be in [0, 1)")
        if self.accumulate < 1:
            raise ValueError(f"model.optimization.accumulate={self.accumulate} must be 1 or more")
        if self.warmup_iterations < 0:
            raise ValueError(
                f"model.optimization.warmup_iterations={self.warmup_iterations} must be 0 or more"
            )
        if self.gradient_clip is not None and self.gradient_clip <= 0:
            raise ValueError(
                f"model.optimization.gradient_clip={self.gradient_clip} must be positive, or null for none"
            )

    def check_batch_size(self, size: int) -> None:
        """Raises ValueError if a batch cannot be cut into `accumulate` parts of equal size."""
        if size % self.accumulate:
            raise ValueError(
                f"data.batch_size={size} must be a multiple of model.optimization.accumulate={self.accumulate}"
            )
