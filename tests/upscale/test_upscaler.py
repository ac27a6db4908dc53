"""Pictures through a net: kinds of channels, memory that runs out, precision that fails, scales between."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from helpers import picture as smooth
from torch import Tensor, nn

from sr.archs.bicubic import Bicubic
from sr.archs.srvgg import SRVGGNetCompact
from sr.ops.resize import imresize
from sr.pictures.picture import Picture
from sr.upscale import upscaler as module
from sr.upscale.budget import affordable_pixels, batch_size, best_grid, bytes_per_pixel
from sr.upscale.grid import Grid
from sr.upscale.network import Network, NotFiniteError
from sr.upscale.reach import LONGEST, measure_reach
from sr.upscale.upscaler import Upscaler


def network(
    net: nn.Module | None = None,
    *,
    scale: int = 2,
    channels: int = 3,
    precision: str = "fp32",
    **options: object,
) -> Network:
    return Network(
        net=Bicubic(scale=scale) if net is None else net,
        scale=scale,
        channels=channels,
        device=torch.device("cpu"),
        precision=precision,
        **options,  # type: ignore[arg-type]
    )


def bicubic(image: np.ndarray, scale: float = 2) -> np.ndarray:
    """The independent answer."""
    size = round(image.shape[0] * scale), round(image.shape[1] * scale)
    return imresize(image.astype(np.float64), size=size).clip(0, np.iinfo(image.dtype).max)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_gray_stays_gray_and_16_bit_16_bit(channels: int, dtype: type) -> None:
    image = smooth(40, 30, channels=channels).astype(dtype) * (257 if dtype == np.uint16 else 1)
    result = Upscaler(network=network())(Picture(image, icc=b"profile"))
    assert result.colour.dtype == dtype
    assert result.alpha is None
    assert result.icc == b"profile"
    # Gray goes through the colour net and back: equal to 24 bits of a float32.
    np.testing.assert_allclose(result.colour, bicubic(image), atol=0.51 if dtype == np.uint8 else 0.6)


def test_dark_16_bit_image_is_not_taken_for_8_bit() -> None:
    dark = np.full((8, 8, 3), 200, np.uint16)
    np.testing.assert_array_equal(Upscaler(network=network())(Picture(dark)).colour, 200)


def test_net_for_one_channel_sees_colours_one_by_one() -> None:
    image = smooth(24, 20)
    result = Upscaler(network=network(channels=1))(Picture(image))
    np.testing.assert_allclose(result.colour, bicubic(image), atol=0.51)
    with pytest.raises(ValueError, match="the net is for 5 channels, the image has 3"):
        Upscaler(network=network(channels=5))(Picture(image))


def test_transparent_picture_has_no_halo() -> None:
    """A red disc on transparent black: red to its very edge and beyond, and the disc itself quite opaque."""
    y, x = np.mgrid[:48, :48]
    radius = np.hypot(y - 23.5, x - 23.5)
    alpha = (np.clip(16 - radius, 0, 1) * 255).astype(np.uint8)[:, :, None]
    colour = np.where(alpha > 0, [200, 30, 40], 0).astype(np.uint8)
    result = Upscaler(network=network(scale=4), tile=16)(Picture(colour, alpha))
    assert result.alpha is not None
    assert np.abs(result.colour.astype(int) - [200, 30, 40]).max() <= 1
    far_inside = np.kron(radius < 12, np.ones((4, 4))).astype(bool)
    far_outside = np.kron(radius > 20, np.ones((4, 4))).astype(bool)
    assert (result.alpha[far_inside] == 255).all()
    assert (result.alpha[far_outside] == 0).all()
    assert len(np.unique(result.alpha)) > 50  # the edge is soft


@pytest.mark.parametrize("tile", [0, 11])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7, 3.0])
def test_other_scales_resample_the_result_before_it_is_rounded(scale: float, tile: int) -> None:
    image = smooth(50, 41)
    alpha = smooth(50, 41, channels=1).clip(1, 254)  # all pixels show, none is filled, none is flat
    result = Upscaler(network=network(), scale=scale, tile=tile)(Picture(image, alpha))
    size = round(50 * scale), round(41 * scale)
    assert result.colour.shape == (*size, 3)
    assert result.alpha is not None
    for pixels, original in ((result.colour, image), (result.alpha, alpha)):
        given = imresize(original.astype(np.float64), size=(100, 82))  # not rounded to levels, nor clamped
        expected = imresize(given, size=size).clip(0, 255)
        np.testing.assert_allclose(pixels, expected, atol=0.501)


def test_flat_alpha_stays_flat_at_other_scales() -> None:
    alpha = np.full((40, 30, 1), 255, np.uint8)
    alpha[:20] = 0
    result = Upscaler(network=network(Dimming()), scale=1.5, tile=8)(Picture(smooth(40, 30), alpha))
    assert result.alpha is not None
    assert (result.alpha[:26] == 0).all()
    assert (result.alpha[34:] == 255).all()


def test_a_row_of_tiles_counts_where_the_result_is_resampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_memory", lambda device: 2**21)
    whole, cut = (Upscaler(network=network(scale=4), scale=0.1, tile=tile) for tile in (0, 32))
    cut.check_memory(200, 200, bytes_per_pixel=3)
    with pytest.raises(MemoryError, match=r"200 x 200 pixels and the result of 20 x 20 need 0\.0 GiB"):
        whole.check_memory(200, 200, bytes_per_pixel=3)


class Dimming(nn.Module):
    """Doubles an image and misses white and black by a little."""

    def forward(self, lr: Tensor) -> Tensor:
        return 0.01 + 0.98 * nn.functional.interpolate(lr, scale_factor=2, mode="nearest")


def test_a_scale_that_leaves_nothing_leaves_a_pixel() -> None:
    assert Upscaler(network=network(), scale=0.01)(Picture(smooth(8, 9))).colour.shape == (1, 1, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1)])
def test_extreme_sizes(size: tuple[int, int]) -> None:
    image = smooth(*size)
    result = Upscaler(network=network(), tile=16)(Picture(image)).colour
    np.testing.assert_allclose(result, bicubic(image), atol=0.51)


class Hungry(nn.Module):
    """Has memory for `pixels` at once and reports the rest as an allocator would."""

    def __init__(self, pixels: int, error: Callable[[], Exception]) -> None:
        super().__init__()
        self.pixels = pixels
        self.error = error

    def forward(self, lr: Tensor) -> Tensor:
        if lr.shape[0] * lr.shape[2] * lr.shape[3] > self.pixels:
            raise self.error()
        return nn.functional.interpolate(lr, scale_factor=2, mode="nearest")


@pytest.mark.parametrize(
    "error",
    [
        lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        lambda: RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to ..."),
        MemoryError,
    ],
    ids=["cuda", "cpu", "numpy"],
)
@pytest.mark.parametrize("tile", ["auto", 0, 200])
def test_out_of_memory_halves_the_tile_and_goes_on(error: Callable[[], Exception], tile: int | str) -> None:
    said: list[str] = []
    image = smooth(150, 190)
    upscaler = Upscaler(network=network(Hungry(64 * 64, error)), tile=tile, report=said.append)
    np.testing.assert_array_equal(upscaler(Picture(image)).colour, image.repeat(2, 0).repeat(2, 1))
    assert said[0].startswith("out of memory with tiles of 190 x 150: goes on with ")
    steps = len(said)
    upscaler(Picture(image))
    assert len(said) == steps  # remembered for the next picture


def test_memory_for_no_tile_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*arguments: object, **options: object) -> np.ndarray:
        raise MemoryError

    monkeypatch.setattr(module, "enlarge", exhausted)
    said: list[str] = []
    upscaler = Upscaler(network=network(), report=said.append)
    with pytest.raises(MemoryError, match="smaller tiles would consist of margins only"):
        upscaler(Picture(smooth(90, 90)))


def test_other_errors_are_not_taken_for_want_of_memory() -> None:
    upscaler = Upscaler(network=network(Hungry(1, lambda: RuntimeError("a bug"))))
    with pytest.raises(RuntimeError, match="a bug"):
        upscaler(Picture(smooth(20, 20)))


class Overflowing(nn.Module):
    """Doubles an image; not finite in bf16, or always."""

    def __init__(self, *, always: bool) -> None:
        super().__init__()
        self.always = always

    def forward(self, lr: Tensor) -> Tensor:
        enlarged = nn.functional.interpolate(lr, scale_factor=2, mode="nearest")
        return enlarged / 0 if self.always or torch.is_autocast_enabled("cpu") else enlarged


def test_not_finite_in_bf16_is_computed_again_in_fp32_and_said_once() -> None:
    said: list[str] = []
    net = network(Overflowing(always=False), precision="bf16", report=said.append)
    image = smooth(70, 60)
    result = Upscaler(network=net, tile=16)(Picture(image)).colour
    np.testing.assert_array_equal(result, image.repeat(2, 0).repeat(2, 1))
    assert said == ["bf16 gave values that are not finite: such tiles are computed again in fp32"]


def test_not_finite_in_fp32_is_an_error() -> None:
    with pytest.raises(NotFiniteError, match="even in fp32"):
        Upscaler(network=network(Overflowing(always=True)))(Picture(smooth(20, 20)))


def test_bf16_comes_close_to_fp32() -> None:
    net = SRVGGNetCompact(scale=2, num_feat=8, num_conv=2).eval()
    image = Picture(smooth(30, 30))
    exact, rough = (
        Upscaler(network=network(net, precision=precision))(image).colour.astype(int)
        for precision in ("fp32", "bf16")
    )
    assert 0 < np.abs(exact - rough).max() <= 2


def test_self_ensemble_is_the_mean_over_the_eight_symmetries() -> None:
    """Its result turns with the image, and equals the mean that is written out here."""
    net = SRVGGNetCompact(scale=2, num_feat=8, num_conv=2).eval()
    with torch.no_grad():
        net.body[-1].weight.mul_(50)  # type: ignore[operator, union-attr]
    lr = torch.rand(1, 3, 9, 12)
    with torch.no_grad():
        by_hand = [
            axes(net(axes(lr)))
            for axes in (
                lambda x: x,
                lambda x: x.flip(2),
                lambda x: x.flip(3),
                lambda x: x.flip(2, 3),
                lambda x: x.mT,
                lambda x: x.mT.flip(2, 3),
            )
        ]
        by_hand += [net(lr.mT.flip(2)).flip(2).mT, net(lr.mT.flip(3)).flip(3).mT]
    ensemble = network(net, self_ensemble=True)
    torch.testing.assert_close(ensemble(lr), torch.stack(by_hand).mean(0))
    torch.testing.assert_close(ensemble(lr.mT.flip(2)), ensemble(lr).mT.flip(2))
    assert (ensemble(lr) - by_hand[0]).abs().max() > 1e-3


def test_too_large_for_the_memory_is_said_in_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_memory", lambda device: 2**30)
    upscaler = Upscaler(network=network(scale=4))
    upscaler.check_memory(4000, 4000, bytes_per_pixel=3)
    with pytest.raises(
        MemoryError, match=r"8000 x 8000 pixels and the result of 32000 x 32000 need 3\.0 GiB, 1\.0"
    ):
        upscaler.check_memory(8000, 8000, bytes_per_pixel=3)


def test_reach_is_that_of_the_convolutions() -> None:
    """Three 3x3 convolutions see three pixels far, and a net without any sees none."""
    net = SRVGGNetCompact(scale=1, num_feat=8, num_conv=1).eval()
    with torch.no_grad():
        for conv in net.body[::2]:
            conv.weight.copy_(torch.ones_like(conv.weight) / conv.weight[0].numel())  # type: ignore[operator]
    assert measure_reach(network(net, scale=1)).pixels == 3
    assert measure_reach(network(Hungry(10**9, MemoryError))).pixels == 0


class Global(nn.Module):
    """Every pixel matters everywhere."""

    def forward(self, lr: Tensor) -> Tensor:
        return lr - lr.mean((2, 3), keepdim=True)


def test_reach_without_end_is_said() -> None:
    said: list[str] = []
    reach = measure_reach(network(Global(), scale=1))
    assert (reach.pixels, reach.complete) == (LONGEST, False)
    Upscaler(network=network(Global(), scale=1), tile=8, report=said.append)(Picture(smooth(8, 300)))
    assert said[0].startswith("pixels matter to this net further than 128 away")


@pytest.mark.parametrize("size", [(512, 512), (4096, 4096), (1, 10000), (10000, 1), (300, 3000), (16, 50)])
@pytest.mark.parametrize("pixels", [10_000, 65_536, 10**6])
def test_grids_keep_to_the_memory_and_waste_little(size: tuple[int, int], pixels: int) -> None:
    grid = best_grid(*size, pixels=pixels, reach=7, fade=1, align=4)
    height, width = grid.tile_size
    assert height * width <= pixels
    smallest = (1 + 16 / (pixels**0.5 - 16)) ** 2  # the overlap of square tiles
    assert len(grid) * height * width <= 1.15 * smallest * size[0] * size[1]


def test_where_margins_alone_exceed_the_memory_tiles_are_small() -> None:
    grid: Grid = best_grid(1000, 1000, pixels=100, reach=20, fade=2, align=1)
    assert max(grid.tile_size) <= 16 + 44


def test_budget_follows_the_width_of_the_net(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sr.upscale.budget.free_memory", lambda device: 2**28)
    narrow, wide = (network(SRVGGNetCompact(scale=2, num_feat=width, num_conv=1)) for width in (8, 64))
    # 64 channels of 4 bytes read and written, twice; the result of 12 values six times.
    assert bytes_per_pixel(wide) == 2 * 2 * 64 * 4 + 6 * 12 * 4
    assert affordable_pixels(wide) == 2**26 // bytes_per_pixel(wide)
    assert affordable_pixels(narrow) > 2 * affordable_pixels(wide)
    half = network(SRVGGNetCompact(scale=2, num_feat=64, num_conv=1), precision="bf16")
    assert bytes_per_pixel(half) == 2 * 2 * 64 * 2 + 6 * 12 * 4
    grid = best_grid(100, 100, pixels=1000, reach=2, fade=1, align=1)
    assert batch_size(wide, grid, pixels=5000) == 5000 // (grid.tile_size[0] * grid.tile_size[1])
