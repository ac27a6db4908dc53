"""The precisions that training modules train in."""

from typing import Final

from lightning.pytorch.plugins import MixedPrecision

HALF: Final = "16-mixed"
PRECISIONS = ("32-true", "bf16-mixed", HALF)


class HalfPrecision(MixedPrecision):
    """Autocast to fp16 without Lightning's gradient scaler: G and D have one each (`sr.training.gradient_scale`).

    Give it to a trainer as `plugins=[HalfPrecision(device="cuda")]`, in place of `precision`. It computes in fp16 on a
    CPU too, where Lightning would replace fp16 by bf16.

    Args:
        device: the type of the device, `cuda` or `cpu`.
    """

    def __init__(self, *, device: str) -> None:
        super().__init__(HALF, device)
        self.scaler = None


def check_precision(precision: str) -> None:
    """Raises ValueError for a `trainer.precision` that no training module trains in."""
    if precision not in PRECISIONS:
        raise ValueError(f"trainer.precision={precision}: choose one of {', '.join(PRECISIONS)}")


def check_scaler(plugin: object) -> None:
    """Raises ValueError for a trainer whose precision plugin scales the losses of G and D by one number."""
    if getattr(plugin, "scaler", None) is not None:
        raise ValueError(
            f"{type(plugin).__name__} has one gradient scaler for G and D, so that an overflow in D would hold G back:"
            f" give the trainer plugins=[{HalfPrecision.__module__}.{HalfPrecision.__name__}(device=...)] in place of"
            f" precision={HALF!r}"
        )
