"""The pixels of each mix, computed once more with NumPy from numbers that are not drawn."""

from collections import deque
from typing import Any

import numpy as np
import pytest
import torch
from helpers import picture
from torch import Tensor

from sr.data.mixing.cutblur import CutBlur
from sr.data.mixing.cutmix import CutMix
from sr.data.mixing.mixup import MixUp
from sr.data.mixing.regions import others
from sr.data.mixing.resizemix import ResizeMix
from sr.degradations.bicubic import BicubicDegradation
from sr.ops.image import to_float, to_tensor
from sr.ops.resize import imresize
from sr.ops.resize_tensors import imresize_batch

SCALE, SIDE = 2, 10  # LR pixels


class Given:
    """In place of a generator: the numbers that it is to draw, in their order."""

    def __init__(self, *numbers: float) -> None:
        self.numbers = deque(numbers)

    def _next(self, *_: Any, **__: Any) -> float:
        return self.numbers.popleft()

    beta = uniform = integers = random = _next


def pairs(*, count: int = 3, target: bool = False) -> dict[str, Tensor]:
    """Noise, whose LR is every second pixel of HR."""
    generator = torch.Generator().manual_seed(0)
    hr = torch.rand(count, 3, SIDE * SCALE, SIDE * SCALE, generator=generator)
    images = {"lr": hr[..., ::SCALE, ::SCALE].clone(), "hr": hr}
    return images | ({"target": 1 - hr} if target else {})


def are_pairs(images: dict[str, Tensor]) -> bool:
    return torch.equal(images["lr"], images["hr"][..., ::SCALE, ::SCALE])


def arrays(images: dict[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: image.numpy().copy() for name, image in images.items()}


def test_mixup() -> None:
    images = pairs(target=True)
    mixed = MixUp(alpha=1.2)(images, rng=Given(0.3, 2))
    assert mixed.keys() == images.keys()
    for name, image in arrays(images).items():
        partners = image[[1, 2, 0]]  # two places further, round the end
        np.testing.assert_allclose(mixed[name], 0.3 * image + 0.7 * partners, atol=1e-7)
    assert are_pairs(mixed)


def test_cutmix() -> None:
    images = pairs(target=True)
    mixed = CutMix(smallest=0.5, largest=0.7)(images, rng=Given(0.6, 1, 3, 1))
    expected = arrays(images)
    for name, factor in (("lr", 1), ("hr", SCALE), ("target", SCALE)):
        whole = expected[name].copy()
        rows, columns = slice(1 * factor, 7 * factor), slice(3 * factor, 9 * factor)
        for number in range(3):
            expected[name][number, :, rows, columns] = whole[number - 1, :, rows, columns]
        np.testing.assert_array_equal(mixed[name], expected[name])
    assert are_pairs(mixed)


def test_resizemix() -> None:
    images = pairs(target=True)
    mixed = ResizeMix()(images, rng=Given(0.45, 6, 0, 2))
    expected = arrays(images)
    for name, factor in (("lr", 1), ("hr", SCALE), ("target", SCALE)):
        whole = expected[name].copy()
        for number in range(3):
            partner = whole[(number + 1) % 3].transpose(1, 2, 0)
            small = np.clip(imresize(partner, size=(4 * factor, 4 * factor)), 0, 1)
            expected[name][number, :, 6 * factor : 10 * factor, : 4 * factor] = small.transpose(2, 0, 1)
        np.testing.assert_allclose(mixed[name], expected[name], atol=1e-6)
    outside = torch.ones(SIDE, SIDE, dtype=torch.bool)
    outside[6:, :4] = False
    every_second = mixed["hr"][..., ::SCALE, ::SCALE]
    assert torch.equal(mixed["lr"][..., outside], every_second[..., outside])


def test_a_shrunk_pair_lies_on_itself() -> None:
    """Where LR is bicubic, so is the LR of a shrunk image, nearly: not shifted, not of another size."""
    hr = to_tensor(to_float(picture(128, 128)))[None].repeat(2, 1, 1, 1)
    lr = imresize_batch(hr, size=(32, 32))
    mixed = ResizeMix()({"lr": lr, "hr": hr}, rng=Given(0.75, 4, 8, 1))
    errors = []
    for shift in (0, 1):
        moved = mixed["hr"].roll(4 * shift, dims=3)
        errors.append((imresize_batch(moved, size=(32, 32)) - mixed["lr"])[..., 7:25, 11:29].square().mean())
    assert errors[0] < 0.2 * errors[1]


@pytest.mark.parametrize("target", [False, True])
@pytest.mark.parametrize("inside", [True, False])
def test_cutblur(target: bool, inside: bool) -> None:
    images = pairs(target=target)
    mixed = CutBlur(smallest=0.2, largest=0.7)(images, rng=Given(0.52, 5, 2, 0.1 if inside else 0.9))
    expected = arrays(images)
    sharp = expected["target" if target else "hr"]
    clean = np.stack(
        [imresize(each.transpose(1, 2, 0), size=(SIDE, SIDE)).transpose(2, 0, 1) for each in sharp]
    )
    clean = np.round(np.clip(clean, 0, 1) * 255) / 255
    replaced = np.zeros((SIDE, SIDE), bool)
    replaced[5:10, 2:7] = True
    replaced = replaced if inside else ~replaced
    np.testing.assert_allclose(mixed["lr"].numpy(), np.where(replaced, clean, expected["lr"]), atol=1e-6)
    for name in images.keys() - {"lr"}:
        assert torch.equal(mixed[name], images[name])


def test_cutblur_changes_nothing_where_lr_is_bicubic() -> None:
    """To a level of 255, where both round differently."""
    image = to_float(picture(64, 64))
    chain = BicubicDegradation(scale=4)
    lr = to_tensor(chain.draw(np.random.default_rng(0)).apply(image))[None]
    mixed = CutBlur()({"lr": lr, "hr": to_tensor(image)[None]}, rng=np.random.default_rng(0))
    assert (mixed["lr"] - lr).abs().max() <= 1.01 / 255
    assert (mixed["lr"] == lr).float().mean() > 0.99


@pytest.mark.parametrize("size", [(16, 16), (7, 13), (40, 24), (80, 12)])
def test_resized_batches_are_resized_images(size: tuple[int, int]) -> None:
    images = torch.rand(2, 3, 40, 24, generator=torch.Generator().manual_seed(1))
    resized = imresize_batch(images, size=size)
    for image, ours in zip(images, resized, strict=True):
        theirs = imresize(image.permute(1, 2, 0).numpy(), size=size)
        np.testing.assert_allclose(ours.permute(1, 2, 0), theirs, atol=1e-6)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_no_image_is_its_own_partner(count: int) -> None:
    rng = np.random.default_rng(0)
    images = {"lr": torch.arange(count).float().reshape(count, 1, 1, 1)}
    seen = set()
    for _ in range(50):
        partners = others(images, rng=rng)["lr"].flatten().tolist()
        assert sorted(partners) == list(range(count))
        assert all(one != other for one, other in enumerate(partners))
        seen.add(partners[0])
    assert len(seen) == count - 1


@pytest.mark.parametrize("mix", [MixUp(), CutMix(), ResizeMix(), CutBlur(), CutMix(smallest=0.01, largest=1)])
def test_every_draw_stays_a_picture_and_leaves_the_batch_alone(mix: Any) -> None:
    images = pairs(target=True)
    before = {name: image.clone() for name, image in images.items()}
    for seed in range(20):
        mixed = mix(images, rng=np.random.default_rng(seed))
        for name, image in mixed.items():
            assert image.shape == images[name].shape
            assert image.dtype == torch.float32
            assert image.min() >= 0
            assert image.max() <= 1
    assert all(torch.equal(image, before[name]) for name, image in images.items())


@pytest.mark.parametrize("kind", [CutMix, ResizeMix, CutBlur])
@pytest.mark.parametrize(("smallest", "largest"), [(0, 0.5), (0.6, 0.5), (0.5, 1.1)])
def test_shares_out_of_range_are_named(kind: Any, smallest: float, largest: float) -> None:
    with pytest.raises(
        ValueError, match=rf"smallest={smallest} and largest={largest} of {kind.__name__} must be"
    ):
        kind(smallest=smallest, largest=largest)


def test_an_alpha_out_of_range_is_named() -> None:
    with pytest.raises(ValueError, match=r"alpha=0 of MixUp must be positive"):
        MixUp(alpha=0)
