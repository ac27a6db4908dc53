"""Where the checkpoints of a run lie, and what they are called."""

FOLDER = "checkpoints"
LAST, BEST = "last", "best"


def checkpoint_name(kind: str, index: int) -> str:
    """`last.ckpt` is the newest, `last-1.ckpt` the one before; `best.ckpt` the best, `best-1.ckpt` the second.

    The best of a phase that is over has its name in it: `best_pixel.ckpt`.
    """
    return f"{kind}-{index}.ckpt" if index else f"{kind}.ckpt"
