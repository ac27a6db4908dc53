"""Factors with which terms of the generator's loss keep given shares of its gradient."""

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from sr.training.consensus import mean_over_processes
from sr.training.gradient_scale import GradientScales
from sr.training.pulls import last_gradients, pulls
from sr.training.step_values import Scalars

LARGEST = 1e4  # factor, as in VQGAN


class Balance:
    """A factor for each named term, so that the norm of its gradient is a given share of the sum of all norms.

    With n_i the norms of the gradients of the named terms at the last weight of the generator, r that of the sum of all
    other terms, and s_i the shares, the factor of a named term is

        c_i = min(s_i / (1 - sum s) * r / n_i, 10^4),

    so that the norms c_i n_i and r are as s_i and 1 - sum s. With one named term and a share of 1/2 that is the
    adaptive weight of VQGAN (Esser et al., CVPR 2021, eq. 7), whose limit is the one here. Other terms keep their
    weights. A term whose gradient is zero is left alone, and its share is nobody's: the sum is over the rest of them.
    Where no other term pulls, all are left alone, as are gradients that are not finite, with which nothing is updated.

    Norms are means over the processes of a run, so that all of them have the same factors.

    Args:
        shares: term -> share, above 0 and below 1, below 1 in all.

    Raises:
        ValueError: there is no share, or shares are out of range.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        self.shares = dict(shares)
        if not self.shares:
            raise ValueError("model.balance={} names no term: write {adversarial: 0.3}, or null for none")
        for term, share in self.shares.items():
            number = isinstance(share, int | float) and not isinstance(share, bool)
            if not (number and 0 < share < 1):
                raise ValueError(f"model.balance.{term}={share} must be a share above 0 and below 1")
        total = math.fsum(self.shares.values())
        if total >= 1:
            raise ValueError(
                f"model.balance: the shares of {', '.join(self.shares)} are {total:g} in all, which must be below 1:"
                " the rest is that of the other terms"
            )

    def check_terms(self, terms: Iterable[str]) -> None:
        """Raises ValueError for a name that is no term, and where no term is left without a name."""
        known = list(dict.fromkeys(terms))
        if unknown := [name for name in self.shares if name not in known]:
            raise ValueError(
                f"model.balance: {', '.join(unknown)} is no term; the terms are {', '.join(known)}"
            )
        if len(self.shares) == len(known):
            raise ValueError(
                f"model.balance names all terms ({', '.join(known)}): leave one out, which has the share that is left"
            )

    def factors(self, gradients: Mapping[str, Tensor], *, grown: Mapping[str, float]) -> dict[str, Tensor]:
        """The factors of the named terms among these, scalars without a graph.

        Args:
            gradients: term -> its gradient at the last weight, of each term that there is in this iteration.
            grown: term -> the part of its share that counts in this iteration; 1 for a term that is not in it.
        """
        named = [term for term in self.shares if term in gradients]
        rest = [gradient for term, gradient in gradients.items() if term not in self.shares]
        zero = next(iter(gradients.values())).new_zeros(())
        others = torch.stack(rest).sum(dim=0).norm() if rest else zero
        norms = mean_over_processes(torch.stack([*(gradients[term].norm() for term in named), others]))
        norms, others = norms[:-1], norms[-1]
        shares = norms.new_tensor([self.shares[term] * grown.get(term, 1.0) for term in named])
        pulling = (norms > 0) & (others > 0) & norms.isfinite() & others.isfinite()
        left = 1 - (shares * pulling).sum()
        factors = (shares / left * others / norms).clamp(max=LARGEST)
        return dict(zip(named, torch.where(pulling, factors, 1.0).unbind(), strict=True))


def weighed(
    balance: Balance | None,
    generator: nn.Module,
    *,
    scales: GradientScales,
    sr: Tensor,
    pushes: Scalars,
    measured: bool,
    grown: Mapping[str, float] | None = None,
) -> tuple[dict[str, Tensor], Scalars]:
    """The factors of the terms, and with `measured` what is logged of their gradients.

    Args:
        balance: the shares that decide on factors; None for no factors.
        generator: the generator.
        scales: the scales of the losses that `pushes` are the gradients of.
        sr: (N, C, H, W) generated images, with the graph behind them, which is kept.
        pushes: term -> the gradient of its scaled loss at `sr`, without its factor.
        measured: whether gradients are looked at.
        grown: term -> the part of its share that counts now; 1 for a term that is not in it.

    Raises:
        ValueError: there is a balance, and the generator has no last weight of which gradients could be compared.
    """
    if balance is None and not measured:
        return {}, {}
    gradients = last_gradients(generator, sr=sr, pushes=pushes)
    if gradients is not None:
        gradients = {name: scales.unscaled("g", each) for name, each in gradients.items()}
    if balance is None:
        return {}, pulls(gradients)
    if gradients is None:
        raise ValueError(
            f"model.balance: {type(generator).__name__} has no last weight that trains, of which gradients could be"
            " compared"
        )
    factors = balance.factors(gradients, grown=grown or {})
    return factors, pulls(scaled(gradients, factors)) if measured else {}


def scaled(values: Mapping[str, Tensor], factors: Scalars) -> dict[str, Tensor]:
    """Each value times the factor of its name; one without a factor is the same to the bit."""
    return {name: factors[name] * value if name in factors else value for name, value in values.items()}
