"""R1 and R2."""

from typing import Any

import hydra
import pytest
import torch
from helpers import ROOT
from omegaconf import OmegaConf
from torch import Tensor, nn

from sr.losses.gradient_penalty import GradientPenalty

NOTHING = torch.zeros(1, 3, 4, 4)


def images(seed: int, count: int = 3, **kind: Any) -> Tensor:
    return torch.rand(count, 2, 5, 5, generator=torch.Generator().manual_seed(seed), **kind)


def test_a_linear_discriminator_has_the_norm_of_its_weights() -> None:
    """gamma/2 |w|^2 at every image, so R1 and R2 are the same, and both together their sum."""
    weight = torch.randn(3 * 4 * 4, dtype=torch.float64)

    def linear(image: Tensor) -> list[Tensor]:
        return [(image.double().flatten(1) @ weight)[:, None] + 7]

    real, fake = torch.rand(2, 5, 3, 4, 4)
    expected = weight.square().sum().item() / 2
    for gammas in ({"real": 10.0}, {"fake": 10.0}, {"real": 4.0, "fake": 6.0}):
        assert GradientPenalty(**gammas)(linear, real=real, fake=fake).item() == pytest.approx(10 * expected)


def test_it_is_the_mean_over_images_at_those_it_is_of() -> None:
    """For s = a |x|^2 / 2 the gradient is a x."""

    def quadratic(image: Tensor) -> list[Tensor]:
        return [3 * image.square().flatten(1).sum(dim=1) / 2]

    real, fake = images(1), images(2)
    squares = [9 * each.square().sum(dim=(1, 2, 3)).mean().item() for each in (real, fake)]
    found = [
        GradientPenalty(real=r, fake=f)(quadratic, real=real, fake=fake).item()
        for r, f in ((2, 0), (0, 2), (2, 1))
    ]
    assert found == pytest.approx([squares[0], squares[1], squares[0] + squares[1] / 2])


def test_maps_count_by_their_mean_logit_and_alike_whatever_their_size() -> None:
    """P logits of one pixel each: 1/P of what one logit has. Two maps: their mean."""
    real = images(3)
    pixel = GradientPenalty(real=2.0)(lambda image: [image[:, 0, 0, 0]], real=real, fake=NOTHING).item()
    whole = GradientPenalty(real=2.0)(lambda image: [image[:, 0]], real=real, fake=NOTHING).item()
    assert pixel == pytest.approx(1.0)
    assert whole == pytest.approx(1 / 25)
    both = GradientPenalty(real=2.0)(lambda image: [image[:, 0], image[:, 1, 0]], real=real, fake=NOTHING)
    assert both.item() == pytest.approx((1 / 25 + 1 / 5) / 4)


def test_its_gradients_are_right() -> None:
    torch.manual_seed(0)
    shapes = [(3, 2, 3, 3), (3,), (1, 3, 3, 3)]
    weights = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    real, fake = images(4, 2, dtype=torch.float64), images(5, 2, dtype=torch.float64)
    penalty = GradientPenalty(real=3.0, fake=2.0)

    def of(first: Tensor, bias: Tensor, second: Tensor) -> Tensor:
        def net(image: Tensor) -> list[Tensor]:
            hidden = nn.functional.conv2d(image, first, bias)
            return [nn.functional.conv2d(torch.tanh(hidden), second), hidden.square()]

        return penalty(net, real=real, fake=fake)

    assert torch.autograd.gradcheck(of, weights)
    assert torch.autograd.gradgradcheck(of, weights)


def test_lazily_it_is_taken_in_every_nth_update_and_counts_n_times() -> None:
    always, lazy = GradientPenalty(real=5.0), GradientPenalty(real=5.0, every=4)
    real = images(6)
    values = [each(lambda image: [image.square()], real=real, fake=NOTHING) for each in (always, lazy)]
    torch.testing.assert_close(values[1], 4 * values[0])
    assert [number for number in range(9) if lazy.taken_at(number)] == [0, 4, 8]
    assert all(map(always.taken_at, range(9)))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, r"gan_penalty\.real=0 and gan_penalty\.fake=0: write model\.gan_penalty=null"),
        ({"real": -1.0}, r"gan_penalty\.real=-1\.0 must be finite and at least 0"),
        ({"fake": float("nan")}, r"gan_penalty\.fake=nan must be finite"),
        ({"real": 1.0, "every": 0}, r"gan_penalty\.every=0 must be 1 or more"),
    ],
)
def test_wrong_numbers_are_refused_by_key(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GradientPenalty(**wrong)


@pytest.mark.parametrize(("name", "gammas"), [("r1", (10, 0)), ("r2", (0, 10)), ("r1_r2", (10, 10))])
def test_the_files_have_the_gamma_of_the_paper(name: str, gammas: tuple[int, int]) -> None:
    folder = ROOT / "conf" / "gan_penalty"
    node: Any = OmegaConf.load(folder / f"{name}.yaml")
    if "defaults" in node:
        node = OmegaConf.merge(OmegaConf.load(folder / "r1.yaml"), node)
        del node["defaults"]
    built = hydra.utils.instantiate(node)
    assert (built.real, built.fake, built.every) == (*gammas, 1)
