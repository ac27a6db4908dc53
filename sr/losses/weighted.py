"""A sum of named content losses, kept as its terms so that each can be logged under its name."""

import math
from collections.abc import Mapping

from torch import Tensor, nn


class WeightedTerm(nn.Module):
    """weight * loss(sr, hr)

    Args:
        weight: the factor, 0 or more.
        loss: the loss, (sr, hr) -> scalar.

    Raises:
        ValueError: `weight` is negative or not finite.
    """

    def __init__(self, *, weight: float, loss: nn.Module) -> None:
        super().__init__()
        if not (math.isfinite(weight) and weight >= 0):
            raise ValueError(f"weight={weight} of {type(loss).__name__} must be finite and at least 0")
        self.weight = weight
        self.loss = loss

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        weighted: Tensor = self.weight * self.loss(sr, hr)
        return weighted


class WeightedLoss(nn.Module):
    """{name: weight * loss(sr, hr)}; the training loss is the sum of the values.

    The names are those of `terms` (in YAML: the keys of the `loss` group), in their order.

    Args:
        terms: the terms by name.

    Raises:
        ValueError: there is no term, or one has a name that a module cannot have.
        TypeError: a term is of another kind.
    """

    def __init__(self, *, terms: Mapping[str, WeightedTerm]) -> None:
        super().__init__()
        if not terms:
            raise ValueError("terms is empty: a content loss needs at least one weighted term")
        self.terms = nn.ModuleDict()
        for name, term in terms.items():
            if not isinstance(term, WeightedTerm):
                raise TypeError(
                    f"terms[{name!r}] is {term!r}, not a WeightedTerm (to drop a term, leave it out)"
                )
            try:
                self.terms[name] = term
            except KeyError as error:  # a dot, an empty string, or an attribute of ModuleDict such as "keys"
                raise ValueError(f"terms has a term named {name!r}; choose another name: {error}") from error

    def forward(self, sr: Tensor, hr: Tensor) -> dict[str, Tensor]:
        return {name: term(sr, hr) for name, term in self.terms.items()}
