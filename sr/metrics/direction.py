"""Whether more of a metric is better, and how its values are printed."""

LOWER_IS_BETTER = ("mse", "lpips", "dists")
DIGITS = {"psnr": ".2f", "ssim": ".4f", "lpips": ".4f", "dists": ".4f", "sharpness": ".3f", "mse": ".2e"}


def lower_is_better(metric: str) -> bool:
    """For differences and orders; `sharpness` has no better side and counts as the others."""
    return metric in LOWER_IS_BETTER


def number(metric: str, value: float, *, sign: bool = False) -> str:
    """`31.02`, or `+0.31` of a difference: as many digits as are worth reading."""
    # z: what rounds to zero has no sign of its own.
    return format(value, ("+" if sign else "") + "z" + DIGITS[metric.split("_")[0]])
