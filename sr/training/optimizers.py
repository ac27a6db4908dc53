"""Optimizers of the library pytorch_optimizer (the extra `optimizers`), with arguments that are named and checked.

Its own constructors take any further keyword and drop it, so a typo would train with a default. torch's optimizers need
none of this: `_target_: torch.optim.AdamW`.
"""

from importlib import import_module
from typing import Any

from torch.optim import Optimizer

from sr.training.parameter_groups import Parameters, Rules, grouped

LIBRARY = "pytorch_optimizer"
RATES_OF_PRODIGY = (0.1, 10.0)


def adan(
    params: Parameters,
    *,
    lr: float,
    betas: tuple[float, float, float],
    weight_decay: float = 0.0,
    eps: float = 1e-8,
    rules: Rules | None = None,
) -> Optimizer:
    """Adan: Adam with Nesterov's momentum taken from differences of gradients.

    Xie et al., "Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models", IEEE TPAMI 2024.

    Args:
        params: the parameters.
        lr: the learning rate.
        betas: the decay of gradients, of their differences and of squares.
        weight_decay: the weight decay, by the proximal step of the paper.
        eps: the term that keeps the denominator from 0.
        rules: the rules of parameter groups by name (`sr.training.parameter_groups`); None for none.

    Raises:
        ValueError: the library is not here, or a value is out of its range.
    """
    make = _from_library("Adan", lr=lr)
    base = {"lr": lr, "betas": tuple(betas), "weight_decay": weight_decay, "eps": eps}
    optimizer: Optimizer = make(grouped(params, rules, **base), **base)
    return optimizer


def lion(
    params: Parameters,
    *,
    lr: float,
    betas: tuple[float, float],
    weight_decay: float = 0.0,
    rules: Rules | None = None,
) -> Optimizer:
    """Lion: a step of equal size against the sign of a momentum.

    Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023.

    Args:
        params: the parameters.
        lr: the learning rate, the size of each step of each weight.
        betas: the decay of the momentum in the step, and in the state.
        weight_decay: the decoupled weight decay.
        rules: the rules of parameter groups by name (`sr.training.parameter_groups`); None for none.

    Raises:
        ValueError: the library is not here, or a value is out of its range.
    """
    make = _from_library("Lion", lr=lr)
    base = {"lr": lr, "betas": tuple(betas), "weight_decay": weight_decay}
    optimizer: Optimizer = make(grouped(params, rules, **base), **base)
    return optimizer


def muon(
    params: Parameters,
    *,
    lr: float,
    momentum: float,
    betas: tuple[float, float],
    weight_decay: float = 0.0,
    ns_steps: int = 5,
    eps: float = 1e-8,
    rules: Rules | None = None,
) -> Optimizer:
    """Muon where a rule sets `use_muon: true`, and AdamW elsewhere, at one learning rate.

    Muon makes every singular value of a momentum about 1. Kernels are taken as matrices of outputs by everything else
    (torch.optim.Muon refuses them). Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024. The
    step is scaled by 0.2 * sqrt(the larger side), with which it is as large as one of AdamW: Liu et al., "Muon is
    Scalable for LLM Training", 2025, sec. 2.2.

    Args:
        params: the parameters.
        lr: the learning rate of both.
        momentum: the decay of Muon's momentum.
        betas: the decay of gradients and squares of AdamW.
        weight_decay: the decoupled weight decay of both.
        ns_steps: the number of Newton-Schulz iterations, which bring the singular values to about 1.
        eps: the term that keeps the denominator of AdamW from 0.
        rules: the rules of parameter groups by name (`sr.training.parameter_groups`), which can set `use_muon`.

    Raises:
        ValueError: the library is not here, a value is out of its range, or a rule has a bias or the like use Muon.
    """
    make = _from_library("Muon", lr=lr)
    base = {"lr": lr, "weight_decay": weight_decay, "use_muon": False}
    both = {"momentum": momentum, "betas": tuple(betas), "ns_steps": ns_steps, "eps": eps}
    groups = grouped(params, rules, **base, **both)
    for group in groups:
        vectors = [
            tuple(each.shape) for each in group["params"] if each.ndim < 2 or each.shape[0] == each.numel()
        ]
        if group["use_muon"] and vectors:
            raise ValueError(
                f"rules: use_muon=true for a parameter of shape {vectors[0]}, but Muon is for matrices and kernels"
            )
    optimizer: Optimizer = make(groups, use_adjusted_lr=True)
    return optimizer


def soap(
    params: Parameters,
    *,
    lr: float,
    betas: tuple[float, float],
    weight_decay: float = 0.0,
    precondition_frequency: int = 10,
    max_precondition_dim: int = 10000,
    eps: float = 1e-8,
    rules: Rules | None = None,
) -> Optimizer:
    """SOAP: Adam in the eigenbasis of Shampoo's preconditioner.

    Vyas et al., "SOAP: Improving and Stabilizing Shampoo using Adam", ICLR 2025. The first iteration only begins the
    statistics, and changes no weight.

    Args:
        params: the parameters.
        lr: the learning rate.
        betas: the decay of gradients, and of squares and the preconditioner.
        weight_decay: the decoupled weight decay.
        precondition_frequency: the number of iterations from one eigenbasis to the next.
        max_precondition_dim: the largest side of a weight that gets an eigenbasis.
        eps: the term that keeps the denominator from 0.
        rules: the rules of parameter groups by name (`sr.training.parameter_groups`); None for none.

    Raises:
        ValueError: the library is not here, or a value is out of its range.
    """
    make = _from_library("SOAP", lr=lr)
    base = {
        "lr": lr,
        "betas": tuple(betas),
        "weight_decay": weight_decay,
        "precondition_frequency": precondition_frequency,
        "max_precondition_dim": max_precondition_dim,
        "eps": eps,
    }
    optimizer: Optimizer = make(grouped(params, rules, **base), **base)
    return optimizer


def prodigy(
    params: Parameters,
    *,
    lr: float = 1.0,
    betas: tuple[float, float],
    weight_decay: float = 0.0,
    d0: float = 1e-6,
    d_coef: float = 1.0,
    growth_rate: float = float("inf"),
    bias_correction: bool = False,
    safeguard_warmup: bool = False,
    eps: float = 1e-8,
    rules: Rules | None = None,
) -> Optimizer:
    """Prodigy: AdamW whose learning rate is an estimate of the distance to the solution, which grows from `d0`.

    Mishchenko and Defazio, "Prodigy: An Expeditiously Adaptive Parameter-Free Learner", ICML 2024. There is one
    estimate for all parameters, so a rule can set nothing but `weight_decay`.

    Args:
        params: the parameters.
        lr: the factor of the estimate: 1, which a schedule may lower.
        betas: the decay of gradients and squares.
        weight_decay: the decoupled weight decay.
        d0: the first estimate, far below any good rate.
        d_coef: the factor of the estimate that a search should look at in place of `lr`.
        growth_rate: the most that the estimate may grow by in an iteration.
        bias_correction: true corrects the moments as Adam does.
        safeguard_warmup: true keeps the warm-up of `lr` out of the estimate.
        eps: the term that keeps the denominator from 0.
        rules: the rules of parameter groups by name (`sr.training.parameter_groups`); None for none.

    Raises:
        ValueError: the library is not here, or a value is out of its range.
    """
    make = _from_library("Prodigy", lr=lr)
    least, most = RATES_OF_PRODIGY
    if not least <= lr <= most:
        raise ValueError(
            f"lr={lr} must be from {least:g} to {most:g} for prodigy, which finds the rate itself: 1 takes it as it"
            " is, and d_coef changes it"
        )
    every = {
        "betas": tuple(betas),
        "d0": d0,
        "d_coef": d_coef,
        "growth_rate": growth_rate,
        "bias_correction": bias_correction,
        "safeguard_warmup": safeguard_warmup,
        "eps": eps,
    }
    groups = grouped(params, rules, weight_decay=weight_decay)
    optimizer: Optimizer = make(groups, lr=lr, weight_decay=weight_decay, **every)
    return optimizer


def schedule_free(
    params: Parameters,
    *,
    lr: float,
    betas: tuple[float, float],
    weight_decay: float = 0.0,
    r: float = 0.0,
    weight_lr_power: float = 2.0,
    eps: float = 1e-8,
    rules: Rules | None = None,
) -> Optimizer:
    """Schedule-free AdamW: the average of all iterates takes the place of a falling learning rate.

    Defazio et al., "The Road Less Scheduled", NeurIPS 2024. Its own warm-up is left out, because
    `model.optimization.warmup_iterations` has the same effect. `sr.training.averaged_weights` switches between the
    trained and the averaged weights.

    Args:
        params: the parameters.
        lr: the learning rate, which no schedule changes after the warm-up.
        betas: the share of the average in the weights that are trained, and the decay of squares.
        weight_decay: the weight decay, at the trained weights.
        r: the power of the iteration in the weights of the average.
        weight_lr_power: the power of the learning rate in the weights of the average.
        eps: the term that keeps the denominator from 0.
        rules: the rules of parameter groups by name (`sr.training.parameter_groups`); None for none.

    Raises:
        ValueError: the library is not here, or a value is out of its range.
    """
    make = _from_library("ScheduleFreeAdamW", lr=lr)
    base = {
        "lr": lr,
        "betas": tuple(betas),
        "weight_decay": weight_decay,
        "r": r,
        "weight_lr_power": weight_lr_power,
        "eps": eps,
    }
    optimizer: Optimizer = make(grouped(params, rules, **base), **base)
    return optimizer


def _from_library(name: str, *, lr: float) -> Any:
    """A class of the library. Raises ValueError where the library is not here, or for a rate that moves nothing."""
    if lr <= 0:
        raise ValueError(f"lr={lr} must be positive")
    try:
        return getattr(import_module(LIBRARY), name)
    except ModuleNotFoundError as error:
        if error.name != LIBRARY:
            raise
        raise ValueError(
            f"{name} needs {LIBRARY}: pip install 'sr-lightning[optimizers]' (with the quotes)"
        ) from error
