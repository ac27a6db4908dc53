"""The gradient penalty in an iteration: its gradients, what it leaves alone, and when it is taken."""

from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from small_training import BATCH, Pairs, fit, make, small_part, weights
from tiny_nets import DISCRIMINATORS
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from sr.archs.unet_disc import UNetDiscriminator
from sr.archs.vgg_disc import VGGDiscriminator
from sr.losses.gan import VanillaGANLoss
from sr.losses.gradient_penalty import GradientPenalty
from sr.training.discriminator_steps import DiscriminatorSteps
from sr.training.logit_maps import logit_maps
from sr.training.optimization import Optimization
from sr.training.penalised import penalised

WITHOUT_BATCH_NORM = [name for name in DISCRIMINATORS if name != "vgg_disc"]


def by_hand(net: nn.Module, images: Tensor, *, gamma: float) -> Tensor:
    """The penalty image by image, with a graph."""
    found = []
    for image in images.split(1):
        image = image.detach().requires_grad_()
        score = torch.stack([each.mean() for each in logit_maps(net(image))]).mean()
        (gradient,) = torch.autograd.grad(score, image, create_graph=True)
        found.append(gamma / 2 * gradient.square().sum())
    return torch.stack(found).mean()


@pytest.mark.parametrize("name", WITHOUT_BATCH_NORM)
@pytest.mark.parametrize("bf16", [False, True])
def test_what_goes_backward_has_the_gradient_of_the_penalty(name: str, bf16: bool) -> None:
    """In fp32, whatever autocast says, to the digits of fp32."""
    torch.manual_seed(0)
    # Without a training mode there is no power iteration, which would differ between one pass and several.
    net = DISCRIMINATORS[name]().eval()
    real, fake = torch.rand(2, 2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    expected = by_hand(net, real, gamma=3.0) + by_hand(net, fake, gamma=2.0)
    parameters = dict(net.named_parameters())
    gradients = torch.autograd.grad(expected, list(parameters.values()), allow_unused=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        value, pull = penalised(GradientPenalty(real=3.0, fake=2.0), net, real=real, fake=fake)
        pull.backward()
    assert not value.requires_grad
    torch.testing.assert_close(value, expected.detach(), rtol=1e-5, atol=0)
    for (key, parameter), gradient in zip(parameters.items(), gradients, strict=True):
        wanted = torch.zeros_like(parameter) if gradient is None else gradient
        found = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5 * wanted.abs().max().item(), msg=key)
    assert sum(float(each.grad.abs().sum()) for each in parameters.values() if each.grad is not None) > 0


class Parametrized(nn.Sequential):
    """The newer spectral norm of torch."""

    def __init__(self) -> None:
        norm = parametrizations.spectral_norm
        super().__init__(norm(nn.Conv2d(3, 4, 3)), nn.LeakyReLU(0.2), norm(nn.Conv2d(4, 1, 3)))


@pytest.mark.parametrize("make_net", [partial(UNetDiscriminator, num_feat=4), Parametrized])
def test_the_power_iteration_of_spectral_norm_advances_no_further(make_net: Any) -> None:
    net = make_net()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    real, fake = torch.rand(2, 2, 3, 16, 16)
    value, pull = penalised(GradientPenalty(real=1.0), net, real=real, fake=fake)
    pull.backward()
    assert value > 0
    for key, buffer in net.state_dict().items():
        assert torch.equal(buffer, before[key]), key
    net(real)
    assert any(not torch.equal(buffer, before[key]) for key, buffer in net.state_dict().items())


def test_a_compiled_discriminator_has_second_derivatives_all_the_same() -> None:
    """Which compiled graphs refuse."""
    net = DISCRIMINATORS["patch_disc"]()
    real, fake = torch.rand(2, 2, 3, 32, 32)
    expected, _ = penalised(GradientPenalty(real=1.0), net, real=real, fake=fake)
    torch.compiler.reset()
    net.compile(backend="aot_eager")
    with pytest.raises(RuntimeError, match="double backward"):
        by_hand(net, real, gamma=1.0).backward()
    value, pull = penalised(GradientPenalty(real=1.0), net, real=real, fake=fake)
    pull.backward()
    assert torch.equal(value, expected)


def test_the_iteration_adds_it_to_the_gradients_of_the_discriminator_alone() -> None:
    item, found = Pairs(2), []
    for penalty in (None, GradientPenalty(real=10.0, fake=5.0)):
        module = make(gan_penalty=penalty)
        module.manual_backward = lambda loss: loss.backward()
        values = module.backward_pass(small_part(item.lr, item.hr), iteration=0, share=0.5)
        found.append(([each.grad.clone() for each in module.generator.parameters()], module, values))
    (plain_g, plain, without), (penalised_g, module, values) = found
    assert all(map(torch.equal, plain_g, penalised_g))
    assert without.penalties == {}
    sr = module.generator(item.lr).detach()
    expected = by_hand(module.discriminator, item.hr, gamma=10) + by_hand(module.discriminator, sr, gamma=5)
    assert values.training()["penalty_d"].item() == pytest.approx(expected.item(), rel=1e-4)
    assert torch.equal(values.losses.discriminator, without.losses.discriminator)
    parameters = list(module.discriminator.parameters())
    gradients = torch.autograd.grad(expected, parameters, allow_unused=True)
    pairs = zip(parameters, plain.discriminator.parameters(), gradients, strict=True)
    for parameter, other, gradient in pairs:
        wanted = torch.zeros_like(parameter) if gradient is None else gradient / 2
        torch.testing.assert_close(parameter.grad - other.grad, wanted, rtol=1e-3, atol=1e-6)


def test_a_batch_in_parts_has_the_same_penalty(tmp_path: Path) -> None:
    sgd = partial(torch.optim.SGD, lr=0.1)
    nets = []
    for accumulate in (1, 2):
        module = make(
            gan_penalty=GradientPenalty(real=1.0, fake=1.0),
            gan_loss=VanillaGANLoss(),
            optimizer_d=sgd,
            optimization=Optimization(accumulate=accumulate),
        )
        fit(module, tmp_path, steps=3)
        nets.append(weights(module.discriminator))
    torch.testing.assert_close(*nets, atol=2e-6, rtol=0)
    assert (nets[0] - weights(make().discriminator)).abs().max() > 1e-3


def test_lazily_every_nth_update_of_the_discriminator_takes_it(tmp_path: Path) -> None:
    """Of those, and not of iterations: D is updated in every second one here. It is logged where it was taken."""
    taken: list[bool] = []

    class Watch(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, module: Any, *_: Any) -> None:
            # What was logged earlier stays in Lightning's metrics, and the values of D are never the same twice.
            taken.append(trainer.callback_metrics.get("train/penalty_d") not in seen)
            seen.append(trainer.callback_metrics.get("train/penalty_d"))

    seen: list[Any] = [None]
    module = make(
        gan_penalty=GradientPenalty(real=1.0, every=3), discriminator_steps=DiscriminatorSteps(every=2)
    )
    fit(module, tmp_path, steps=8, data=Pairs(BATCH * 8), callbacks=[Watch()])
    assert [number for number, each in enumerate(taken) if each] == [0, 6]


def test_a_discriminator_whose_logits_depend_on_the_batch_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"gan_penalty: VGGDiscriminator has batch norm.*model\.gan_penalty=null"
    ):
        make(discriminator=VGGDiscriminator(num_feat=4, patch_size=32), gan_penalty=GradientPenalty(real=1.0))
