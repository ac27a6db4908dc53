"""Which panels the picture of a run has, and what each of them shows: from the columns of metrics.csv alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from math import isfinite

from sr.metrics.quantity import HIGHER, NEITHER, Quantity
from sr.ops.metrics_csv import Column

TRAINING, VALIDATION = "training", "validation"
BASELINE = "val/bicubic_"  # beginning of the columns with what bicubic reaches in the same validation


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One plot of values against iterations.

    Attributes:
        title: the title of the plot, in words.
        lines: label -> values; a single line without a label needs no legend.
        baseline: the values of bicubic interpolation, or no values.
        better: the direction that is better, of which the best value is marked; `neither` marks none.
        digits: Python's format of the numbers in the legend, as `.2f`.
        logarithmic: whether the axis of values is always logarithmic. Other axes are linear, except that values above
            zero that span more than a factor of ten have a logarithmic axis where `may_be_logarithmic`.
        may_be_logarithmic: whether the axis may be logarithmic.
        unusual: whether a few values far away from the others may lie outside the axis, which the plot then says.
    """

    title: str
    lines: Mapping[str, Column]
    baseline: Column = ()  # type: ignore[assignment]
    better: str = NEITHER
    digits: str = ".4g"
    logarithmic: bool = False
    may_be_logarithmic: bool = False
    unusual: bool = False

    def best(self) -> tuple[int, float] | None:
        """The iteration and the value of the best point; None where neither direction is better."""
        if self.better == NEITHER:
            return None
        (points,) = self.lines.values()
        pick = max if self.better == HIGHER else min
        return pick((each for each in points if isfinite(each[1])), key=lambda each: each[1], default=None)


# What a run logs besides its metrics and the terms of its loss: title -> pattern of the columns.
ABOUT_NETS = {
    "D's answers (logits)": "train/logits_*",
    "Gradient penalty of D": "train/penalty_d",
    "Share of iterations that update D": "train/discriminator_updates",
    "Share of places where D is right": "health/accuracy_d",
    "Gradients at G's last layer": "health/gradient_*",
    "Shares of these gradients": "health/share_*",
    "Factors of model.balance": "train/balance_*",
    "Drift of colours (levels of 255)": "health/colour_drift",
    "Distance of G from its average": "health/ema_distance",
}
ABOUT_THE_RUN = {
    "Learning rate": "train/learning_rate_*",
    "Gradient scale (fp16)": "train/scale_*",
    "Share of time waiting for data": "train/data_wait",
    "Iterations skipped for bad numbers": "train/skipped",
}
SKIPPED = "train/skipped"  # drawn only where an iteration was
LOGARITHMIC = (
    "Gradient penalty of D",
    "Gradients at G's last layer",
    "Factors of model.balance",
    "Learning rate",
    "Gradient scale (fp16)",
)
LABELS = {"g": "generator", "d": "discriminator", "g_first": "generator, first stage", "fake": "generated"}


def panels(series: Mapping[str, Column], quantities: Mapping[str, Quantity]) -> list[Panel]:
    """The panels in the order in which they are read: validation, losses, training, nets, the run, everything else.

    Every column is in one of them. The terms of the generator's loss are the columns of `train/` that are nothing else.

    Args:
        series: column of metrics.csv -> values.
        quantities: name of a metric -> what its values are.
    """
    left = dict(series)
    if not any(value for _, value in left.get(SKIPPED, [])):
        left.pop(SKIPPED, None)
    found = _validation(left, quantities) + _loss(left, "generator (G)", "loss_g")
    others = _others(left, quantities) | {"train/loss_d"}
    terms = {_last(key): values for key, values in _taken(left, "train/*", without=others).items()}
    if terms:
        found.append(Panel(title="Terms of G's loss", lines=terms, logarithmic=True))
    found += _loss(left, "discriminator (D)", "loss_d") + _training(left, quantities)
    for title, pattern in (ABOUT_NETS | ABOUT_THE_RUN).items():
        lines = _taken(left, pattern)
        if lines:
            found.append(Panel(title=title, lines=_labelled(lines), may_be_logarithmic=title in LOGARITHMIC))
    baselines = {key for key in left if _is_baseline(key, left)}
    return found + [
        Panel(title=key, lines={"": values}, baseline=left.get(_baseline(key), []))
        for key, values in left.items()
        if key not in baselines
    ]


def _validation(left: dict[str, Column], quantities: Mapping[str, Quantity]) -> list[Panel]:
    return [
        Panel(
            title=f"Validation: {_words(name, quantity)}",
            lines={"": left.pop(f"val/{name}")},
            baseline=left.pop(f"{BASELINE}{name}", []),
            better=quantity.better,
            digits=quantity.digits,
            unusual=True,
        )
        for name, quantity in quantities.items()
        if f"val/{name}" in left
    ]


def _loss(left: dict[str, Column], net: str, name: str) -> list[Panel]:
    both = {TRAINING: f"train/{name}", VALIDATION: f"val/{name}"}
    lines = {label: left.pop(key) for label, key in both.items() if key in left}
    return [Panel(title=f"Loss of the {net}", lines=lines, may_be_logarithmic=True)] if lines else []


def _training(left: dict[str, Column], quantities: Mapping[str, Quantity]) -> list[Panel]:
    return [
        Panel(
            title=f"Training patches: {_words(name, quantity)}",
            lines={"": left.pop(f"train/{name}")},
            unusual=True,
        )
        for name, quantity in quantities.items()
        if f"train/{name}" in left
    ]


def _others(left: Mapping[str, Column], quantities: Mapping[str, Quantity]) -> set[str]:
    """The columns of `train/` that are no terms of the generator's loss."""
    patterns = [*ABOUT_NETS.values(), *ABOUT_THE_RUN.values()]
    return {key for key in left if any(fnmatch(key, pattern) for pattern in patterns)} | {
        f"train/{name}" for name in quantities
    }


def _taken(
    left: dict[str, Column], pattern: str, *, without: set[str] | frozenset[str] = frozenset()
) -> dict[str, Column]:
    """The columns of a pattern, which are removed from those that are left."""
    keys = [key for key in left if fnmatch(key, pattern) and key not in without]
    return {key: left.pop(key) for key in keys}


def _labelled(lines: Mapping[str, Column]) -> dict[str, Column]:
    """Labels from the parts in which the columns differ, as `g` and `d` of the learning rates."""
    if len(lines) == 1 and not next(iter(lines)).startswith("train/learning_rate_"):
        return {"": next(iter(lines.values()))}
    ends = {key: _last(key) for key in lines}
    for start in ("learning_rate_", "logits_", "gradient_", "share_", "balance_", "scale_"):
        ends = {key: end.removeprefix(start) for key, end in ends.items()}
    return {LABELS.get(end, end): lines[key] for key, end in ends.items()}


def _is_baseline(key: str, left: Mapping[str, Column]) -> bool:
    return key.startswith(BASELINE) and f"val/{key.removeprefix(BASELINE)}" in left


def _baseline(key: str) -> str:
    return f"{BASELINE}{key.removeprefix('val/')}" if key.startswith("val/") else ""


def _words(name: str, quantity: Quantity) -> str:
    return quantity.titled(name) + (f" ({quantity.unit})" if quantity.unit else "")


def _last(key: str) -> str:
    return key.rsplit("/", 1)[-1]
