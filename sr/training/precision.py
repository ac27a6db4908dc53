"""The precisions that training modules train in."""

PRECISIONS = ("32-true", "bf16-mixed")


def check_precision(precision: str) -> None:
    """Raises ValueError for a `trainer.precision` that no training module trains in."""
    if precision not in PRECISIONS:
        raise ValueError(
            f"trainer.precision={precision}: choose one of {', '.join(PRECISIONS)}. Half precision (fp16) is"
            " refused because G and D would share one gradient scaler, so that an overflow in D holds G back;"
            " bf16-mixed is as fast and needs none"
        )
