"""The gradient of each term at the last layer, alone and as a share, in every phase of a run."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from small_training import BATCH, Pairs, fit, make, small_part, weights
from torch import Tensor, nn

from sr.losses.edge import EdgeLoss
from sr.losses.pixel import L1Loss, MSELoss
from sr.losses.weighted import WeightedLoss, WeightedTerm
from sr.training.base import SRModule
from sr.training.gan import GANModule
from sr.training.psnr import PSNRModule
from sr.training.pulls import last_gradients, last_weight, pulls, push_of
from sr.training.schedule import AdversarialRamp


def two_terms() -> WeightedLoss:
    return WeightedLoss(
        terms={
            "l1": WeightedTerm(weight=1.0, loss=L1Loss()),
            "edge": WeightedTerm(weight=0.5, loss=EdgeLoss()),
        }
    )


def test_pulls_are_the_gradients_of_the_losses_at_the_last_convolution() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.PReLU(), nn.Conv2d(4, 3, 3, padding=1))
    assert last_weight(net) is net[2].weight
    sr = net(torch.rand(1, 3, 8, 8))
    losses = {"square": sr.square().sum(), "sum": 2 * sr.sum(), "none": torch.zeros(())}
    pushes = {term: push_of(loss, sr) for term, loss in losses.items()}
    found = pulls(last_gradients(net, sr=sr, pushes=pushes))
    norms = {
        term: torch.autograd.grad(losses[term], net[2].weight, retain_graph=True)[0].norm().item()
        for term in ("square", "sum")
    } | {"none": 0.0}
    for term, norm in norms.items():
        assert found[f"gradient_{term}"].item() == pytest.approx(norm, rel=1e-5)
        assert found[f"share_{term}"].item() == pytest.approx(norm / sum(norms.values()), rel=1e-5)
    sr.sum().backward()  # the graph is still there


def test_a_single_term_has_no_share_and_zeros_have_none() -> None:
    assert not pulls({"l1": torch.ones(3)})
    none = pulls({"l1": torch.zeros(3), "edge": torch.zeros(3)})
    assert none["share_l1"].isnan()
    assert none["gradient_l1"].item() == 0


class Unused(nn.Module):
    """The last weight takes no part."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.spare = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.used(images)


@pytest.mark.parametrize("net", [Unused(), nn.PReLU(), nn.Conv2d(3, 3, 1).requires_grad_(False)])
def test_a_net_without_a_last_weight_trains_without_pulls(net: nn.Module) -> None:
    sr = net(torch.rand(1, 3, 4, 4))
    assert last_gradients(net, sr=sr, pushes={"l1": torch.ones_like(sr)}) is None
    assert not pulls(None)


def test_the_last_weight_of_a_net_without_convolutions() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 3))
    assert last_weight(net) is net[2].weight


class Keys(L.Callback):
    def __init__(self) -> None:
        self.seen: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        self.seen.append({key: float(value) for key, value in trainer.callback_metrics.items()})


@pytest.mark.parametrize("kind", [PSNRModule, GANModule])
def test_shares_are_logged_in_every_phase_and_add_up_to_one(tmp_path: Path, kind: type[SRModule]) -> None:
    gan = kind is GANModule
    module = make(
        kind, content_loss=two_terms(), **({"ramp": AdversarialRamp(generator_only=1)} if gan else {})
    )
    keys = Keys()
    fit(module, tmp_path, steps=2, data=Pairs(2 * BATCH), callbacks=[keys])
    for terms, logged in zip(
        (["l1", "edge"], ["l1", "edge", *["adversarial"] * gan]), keys.seen, strict=True
    ):
        shares = {key: value for key, value in logged.items() if key.startswith("health/share_")}
        norms = [logged[f"health/gradient_{term}"] for term in terms]
        assert list(shares) == [f"health/share_{term}" for term in terms]
        assert list(shares.values()) == pytest.approx([norm / sum(norms) for norm in norms], rel=1e-4)
        assert sum(shares.values()) == pytest.approx(1)
        assert min(norms) > 0


def test_a_single_loss_without_a_discriminator_has_nothing_to_compare(tmp_path: Path) -> None:
    keys = Keys()
    fit(make(PSNRModule), tmp_path, steps=1, callbacks=[keys])
    assert not [key for key in keys.seen[0] if key.startswith("health/")]


def test_measuring_changes_no_gradient_of_the_pixel_phase() -> None:
    for kind, changes in ((PSNRModule, {}), (GANModule, {"ramp": AdversarialRamp(generator_only=9)})):
        found = []
        for measured in (False, True):
            module = make(kind, content_loss=two_terms(), **changes)
            module.manual_backward = lambda loss: loss.backward()  # type: ignore[method-assign, assignment]
            item = Pairs(2)
            values = module.backward_pass(
                small_part(item.lr, item.hr), iteration=0, share=0.5, measured=measured
            )
            assert bool([key for key in values.health if key.startswith("share_")]) == measured
            found.append([each.grad.clone() for each in module.generator.parameters()])
        assert all(map(torch.equal, *found))


def test_what_is_logged_does_not_change_what_is_learned(tmp_path: Path) -> None:
    loss = WeightedLoss(
        terms={"l1": WeightedTerm(weight=1.0, loss=L1Loss()), "mse": WeightedTerm(weight=1.0, loss=MSELoss())}
    )
    often, never = make(PSNRModule, content_loss=loss), make(PSNRModule, content_loss=loss)
    fit(often, tmp_path, steps=2, data=Pairs(2 * BATCH))
    fit(never, tmp_path, steps=2, data=Pairs(2 * BATCH), log_every_n_steps=100)
    assert torch.equal(weights(often.generator), weights(never.generator))
