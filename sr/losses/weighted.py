"""A sum of named content losses, kept as its terms so that each can be logged under its name."""

from collections.abc import Mapping

from torch import Tensor, nn

from sr.losses.weight_schedule import WeightSchedule, checked_weight
from sr.ops.wishes import wishes_of


class WeightedTerm(nn.Module):
    """weight * loss(sr, hr)

    Args:
        weight: the factor, 0 or more; or {from: 0, to: 1, over: 10000, after: 0}, a factor that stays at `from` for
            `after` iterations (none, if left out), goes linearly to `to` within `over` iterations, and stays there.
            Iterations count from the beginning of the stage that the loss is used in.
        loss: the loss, (sr, hr) -> scalar. One with an attribute `wants`, a set of names in `sr.ops.wishes`, gets these
            by keyword too.

    Attributes:
        wants: the names of all that has to be given besides both images.

    Raises:
        ValueError: `weight` is negative or not finite, or a mapping of other keys or values; the loss wants what there
            is not.
    """

    def __init__(self, *, weight: float | Mapping[str, float], loss: nn.Module) -> None:
        super().__init__()
        of = type(loss).__name__
        self.weight: float | WeightSchedule
        if isinstance(weight, Mapping):
            self.weight = WeightSchedule.read(weight, of=of)
        else:
            self.weight = checked_weight(weight, name="weight", of=of)
        self.loss = loss
        self._of_loss = sorted(wishes_of(loss))
        self.wants = frozenset([*self._of_loss, *["iteration"] * isinstance(self.weight, WeightSchedule)])

    def forward(
        self, sr: Tensor, hr: Tensor, *, iteration: Tensor | None = None, average: Tensor | None = None
    ) -> Tensor:
        given = {"iteration": iteration, "average": average}
        weight: float | Tensor
        if isinstance(self.weight, WeightSchedule):
            weight = self.weight(self._wanted("iteration", given))
        else:
            weight = self.weight
        weighted: Tensor = weight * self.loss(
            sr, hr, **{name: self._wanted(name, given) for name in self._of_loss}
        )
        return weighted

    def _wanted(self, name: str, given: Mapping[str, Tensor | None]) -> Tensor:
        value = given[name]
        if value is None:
            raise ValueError(f"the term of {type(self.loss).__name__} needs {name}=..., a tensor")
        return value


class WeightedLoss(nn.Module):
    """{name: weight * loss(sr, hr)}; the training loss is the sum of the values.

    The names are those of `terms` (in YAML: the keys of the `loss` group), in their order.

    Args:
        terms: the terms by name.

    Attributes:
        wants: the names of all that any of the terms has to be given besides both images.

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

        self.wants = frozenset().union(*(term.wants for term in terms.values()))

    def forward(
        self, sr: Tensor, hr: Tensor, *, iteration: Tensor | None = None, average: Tensor | None = None
    ) -> dict[str, Tensor]:
        return {name: term(sr, hr, iteration=iteration, average=average) for name, term in self.terms.items()}
