"""Feature matching in an iteration: which layers, and what of them reaches G."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from small_training import Pairs, fit, make, small_part
from tiny_nets import DISCRIMINATORS
from torch import Tensor, nn

from sr.losses.feature_matching import FeatureMatchingLoss
from sr.training.gan import GANModule
from sr.training.layer_outputs import hidden_convolutions
from sr.training.schedule import AdversarialRamp

CONVOLUTIONS = {
    "unet_disc": [f"conv{number}" for number in range(9)],
    "patch_disc": ["body.0", "body.2", "body.5"],
    "multiscale_disc": [f"discriminators.{scale}.body.{layer}" for scale in (0, 1) for layer in (0, 2)],
    "vgg_disc": [f"conv{block}_{part}" for block in range(5) for part in (0, 1)][:-1],
}


class Shared(nn.Module):
    """A discriminator of a user's: one convolution twice, and a linear layer that ends it."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.again = nn.Conv2d(4, 4, 3, padding=1)
        self.unused = nn.Conv2d(4, 4, 1)
        self.last = nn.Linear(4, 1)

    def forward(self, image: Tensor) -> Tensor:
        features = self.again(torch.tanh(self.again(torch.tanh(self.first(image)))))
        logits: Tensor = self.last(features.mean(dim=(2, 3)))
        return logits


def started(**changes: Any) -> GANModule:
    module = make(**changes)
    assert isinstance(module, GANModule)
    nn.init.constant_(module.generator.conv_last.bias, 0.5)
    module.manual_backward = lambda loss: loss.backward()  # type: ignore[method-assign]
    return module


def gradients(net: nn.Module) -> list[Tensor]:
    return [torch.zeros_like(each) if each.grad is None else each.grad.clone() for each in net.parameters()]


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_without_names_it_takes_the_convolutions_but_those_of_logits(name: str) -> None:
    assert list(hidden_convolutions(DISCRIMINATORS[name]())) == CONVOLUTIONS[name]


def by_hand(net: nn.Module, names: list[str], real: Tensor, fake: Tensor) -> Tensor:
    """The term from a pass of its own for each image set, with weight 1."""
    modules, outputs = dict(net.named_modules()), list[Tensor]()
    hooks = [modules[name].register_forward_hook(lambda *call: outputs.append(call[-1])) for name in names]
    net(real)
    count = len(outputs)
    net(fake)
    for hook in hooks:
        hook.remove()
    return torch.stack(
        [(r.detach() - f).abs().mean() for r, f in zip(outputs[:count], outputs[count:], strict=True)]
    ).sum()


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_the_generator_gets_the_gradient_of_the_term_and_the_discriminator_none(name: str) -> None:
    item, found = Pairs(4), []
    for weight in (0.0, 1.0):
        torch.manual_seed(1)
        net = DISCRIMINATORS[name]()
        # With a training mode spectral norm would move from pass to pass; batch norm would only in what it keeps.
        net.train(name == "vgg_disc")
        module = started(
            discriminator=net, feature_matching=FeatureMatchingLoss(weight=weight), gan_weight=1e-3
        )
        values = module.backward_pass(small_part(item.lr, item.hr), iteration=0, share=1.0, measured=True)
        found.append((gradients(module.generator), gradients(net), values))
    (plain_g, plain_d, without), (with_g, with_d, values) = found
    assert all(map(torch.equal, plain_d, with_d))
    assert "feature_matching" not in without.terms
    term = by_hand(net, CONVOLUTIONS[name], item.hr, module.generator(item.lr))
    assert values.terms["feature_matching"].item() == pytest.approx(term.item(), rel=1e-4)
    assert values.losses.generator.item() == pytest.approx(sum(each.item() for each in values.terms.values()))
    wanted = torch.autograd.grad(term, list(module.generator.parameters()))
    for own, plain, expected in zip(with_g, plain_g, wanted, strict=True):
        torch.testing.assert_close(
            own - plain, expected, rtol=1e-2, atol=1e-3 * expected.abs().max().item() + 1e-7
        )
    last = len(wanted) - 2  # the weight of the last convolution; its bias comes after it
    assert values.health["gradient_feature_matching"].item() == pytest.approx(
        wanted[last].norm().item(), rel=1e-2
    )
    assert values.health["gradient_adversarial"].item() == pytest.approx(
        without.health["gradient_adversarial"].item(), rel=1e-4
    )


def test_layers_by_name_of_a_net_of_a_user() -> None:
    """One that is called twice counts with the mean; the term gains its weight with the adversarial one."""
    item = Pairs(2)
    loss = FeatureMatchingLoss(weight=2.0, layers={"again": 3.0})
    module = started(discriminator=Shared(), feature_matching=loss, ramp=AdversarialRamp(ramp=3))
    found = module.backward_pass(small_part(item.lr, item.hr), iteration=1, share=1.0)
    sr = module.generator(item.lr)
    expected = by_hand(module.discriminator, ["again"], item.hr, sr).item() / 2
    assert found.terms["feature_matching"].item() == pytest.approx(2 / 4 * 2 * 3 * expected, rel=1e-5)
    with torch.no_grad():
        module.eval()
        with_term = module.losses(sr, item.hr, iteration=9).generator
        module._layers = None
        without = module.losses(sr, item.hr, iteration=9).generator
    assert (with_term - without).item() == pytest.approx(6 * expected, rel=1e-4)


@pytest.mark.parametrize("name", ["unet_disc", "multiscale_disc", "vgg_disc"])
def test_a_compiled_discriminator_gives_the_same(name: str) -> None:
    """Without a graph break, and without a new compilation in the next iteration."""
    item, found, graphs = Pairs(4), [], []
    for compiled in (False, True):
        torch.manual_seed(1)
        module = started(
            discriminator=DISCRIMINATORS[name](), feature_matching=FeatureMatchingLoss(weight=1.0)
        )
        torch.compiler.reset()
        torch._dynamo.utils.counters.clear()
        if compiled:
            module.discriminator.compile(backend="aot_eager", fullgraph=True)
        for iteration in range(2):
            module.zero_grad()
            values = module.backward_pass(small_part(item.lr, item.hr), iteration=iteration, share=1.0)
            graphs.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
        found.append((values.terms["feature_matching"], *gradients(module.generator)))
    for plain, other in zip(*found, strict=True):
        torch.testing.assert_close(other, plain, rtol=1e-3, atol=1e-4 * plain.abs().max().item())
    # With batch norm there is a pass for real images, which want no gradient, and one for generated ones.
    passes = 1 + (name == "vgg_disc")
    assert graphs == [0, 0, passes, passes]


def test_it_trains_and_says_which_layers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        trainer = fit(make(feature_matching=FeatureMatchingLoss(weight=1.0)), tmp_path, steps=2)
    assert "feature matching of layers body.0, body.2, body.5" in caplog.text
    assert trainer.callback_metrics["train/feature_matching"] > 0
    assert trainer.callback_metrics["health/gradient_feature_matching"] > 0


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(
        ValueError,
        match=r"feature_matching\.layers: PatchDiscriminator has no conv1: choose from body, body\.0",
    ):
        make(feature_matching=FeatureMatchingLoss(weight=1.0, layers={"conv1": 1.0}))
    linear = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 1))
    with pytest.raises(ValueError, match=r"Sequential has no hidden convolution; name some of 0, 1"):
        make(discriminator=linear, feature_matching=FeatureMatchingLoss(weight=1.0))
    item = Pairs(2)
    unused = FeatureMatchingLoss(weight=1.0, layers={"unused": 1.0})
    module = started(discriminator=Shared(), feature_matching=unused)
    with pytest.raises(ValueError, match=r"layers: unused took no part in the pass"):
        module.backward_pass(small_part(item.lr, item.hr), iteration=0, share=1.0)
    several = nn.Sequential(DISCRIMINATORS["multiscale_disc"]())
    module = started(
        discriminator=several, feature_matching=FeatureMatchingLoss(weight=1.0, layers={"0": 1.0})
    )
    with pytest.raises(ValueError, match=r"layers: 0 gives tuple, and no tensor"):
        module.backward_pass(small_part(item.lr, item.hr), iteration=0, share=1.0)
