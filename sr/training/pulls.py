"""How hard each term of the generator's loss pulls: its gradient at the last layer of the generator."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sr.training.step_values import Scalars


def push_of(term: Tensor, image: Tensor) -> Tensor:
    """The gradient of a term at the generated image, zero where it does not depend on it; the graph is kept."""
    if not term.requires_grad:
        return torch.zeros_like(image)
    (push,) = torch.autograd.grad(term, image, retain_graph=True, allow_unused=True, materialize_grads=True)
    return push


def pushes_of(
    terms: Scalars, image: Tensor, *, singly: bool, exactly: bool, keep_graph: bool = False
) -> tuple[Tensor, dict[str, Tensor]]:
    """The gradient at the image of the sum of all terms, and with `singly` or `exactly` that of each of them.

    With `exactly` none of them has the rounding of the others in it, which a large factor would multiply.
    """
    if exactly:
        pushes = {term: push_of(loss, image) for term, loss in terms.items()}
        return total(pushes), pushes
    *others, last = terms  # the last one, the most costly, is the sum minus the others
    pushes = {
        term: torch.autograd.grad(terms[term], image, retain_graph=True)[0] for term in others if singly
    }
    whole = sum(terms.values(), start=image.new_zeros(()))
    (push,) = torch.autograd.grad(whole, image, retain_graph=keep_graph)
    return push, pushes | ({last: push - sum(pushes.values())} if singly else {})


def total(values: Scalars) -> Tensor:
    """The sum of the values, of which there is one at least."""
    first, *others = values.values()
    return sum(others, start=first)


def last_gradients(
    generator: nn.Module, *, sr: Tensor, pushes: Mapping[str, Tensor]
) -> dict[str, Tensor] | None:
    """The gradient of each term at the last weight of the generator, which those of all terms pass through.

    Args:
        generator: the generator.
        sr: (N, C, H, W) generated images, with the graph behind them, which is kept.
        pushes: term -> its gradient at `sr`.

    Returns:
        Term -> gradient; None where the generator has no weight that trains, or does not use its last one.
    """
    weight = last_weight(generator)
    if weight is None or not sr.requires_grad:
        return None
    found = {}
    for term, push in pushes.items():
        (gradient,) = torch.autograd.grad((sr * push).sum(), weight, retain_graph=True, allow_unused=True)
        if gradient is None:
            return None
        found[term] = gradient.float()
    return found


def last_weight(generator: nn.Module) -> nn.Parameter | None:
    """The weight of the last convolution that trains; of a net without one, of its last layer; or None."""
    weights = [each for each in generator.parameters() if each.requires_grad and each.ndim > 1]
    return next((each for each in reversed(weights) if each.ndim == 4), weights[-1] if weights else None)


def pulls(gradients: Mapping[str, Tensor] | None) -> Scalars:
    """What is logged of the gradients of two terms or more; nothing of fewer, which cannot be compared.

    Args:
        gradients: term -> its gradient at the same weight.

    Returns:
        `gradient_<term>`, the norm of the gradient, and `share_<term>`, this norm divided by the sum of all norms, NaN
        where all are zero.
    """
    if gradients is None or len(gradients) < 2:
        return {}
    norms = {term: gradient.norm() for term, gradient in gradients.items()}
    total = torch.stack([*norms.values()]).sum()
    shares = {f"share_{term}": norm / total for term, norm in norms.items()}
    return {f"gradient_{term}": norm for term, norm in norms.items()} | shares
