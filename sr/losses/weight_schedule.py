"""A weight that follows the iteration."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from torch import Tensor

REQUIRED, OPTIONAL = ("from", "to", "over"), ("after",)


@dataclass(frozen=True, kw_only=True)
class WeightSchedule:
    """`start` up to iteration `after`, from there linear to `end` within `over` iterations, and then constant.

    Attributes:
        start: the weight at the beginning, 0 or more.
        end: the weight at the end, 0 or more.
        over: the length of the change in iterations, 1 or more.
        after: the number of iterations before the change begins, 0 or more.
    """

    start: float
    end: float
    over: int
    after: int = 0

    @classmethod
    def read(cls, mapping: Mapping[str, float], *, of: str) -> Self:
        """The schedule that a mapping {from, to, over, after} says; `after` can be left out and is 0 then.

        Args:
            mapping: the mapping.
            of: the name of the loss, for messages.

        Raises:
            ValueError: a key is unknown or missing, or its value is out of range; the message names it.
        """
        keys = [*REQUIRED, *OPTIONAL]
        if unknown := [str(key) for key in mapping if key not in keys]:
            raise ValueError(f"weight of {of} has no key {', '.join(unknown)}; it has {', '.join(keys)}")
        if missing := [key for key in REQUIRED if key not in mapping]:
            raise ValueError(
                f"weight of {of} lacks {', '.join(missing)}: write {{from: 0, to: 1, over: 1000}}"
            )
        for key in ("from", "to"):
            checked_weight(mapping[key], name=f"weight.{key}", of=of)
        for key, least in (("over", 1), ("after", 0)):
            count = mapping.get(key, least)
            if not isinstance(count, int) or isinstance(count, bool) or count < least:
                raise ValueError(
                    f"weight.{key}={count} of {of} must be a whole number of iterations, at least {least}"
                )
        return cls(
            start=float(mapping["from"]),
            end=float(mapping["to"]),
            over=int(mapping["over"]),
            after=int(mapping.get("after", 0)),
        )

    def __call__(self, iteration: Tensor) -> Tensor:
        """The weight, a scalar in float32, at an iteration counted from 0, a scalar of integers.

        The iteration is a tensor so that compiled code need not be compiled anew for each number.
        """
        done = ((iteration - self.after).float() / self.over).clamp(0, 1)
        return (1 - done) * self.start + done * self.end  # exact at both ends


def checked_weight(weight: float, *, name: str, of: str) -> float:
    """The same weight; raises ValueError unless it is a number, finite and at least 0."""
    number = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not (number and math.isfinite(weight) and weight >= 0):
        raise ValueError(f"{name}={weight} of {of} must be finite and at least 0")
    return weight
