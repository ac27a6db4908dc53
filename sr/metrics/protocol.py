"""How a super-resolved image is compared with the original.

Validation during training and `evaluate.py` afterwards both call `Protocol`, so their numbers agree to the last
digit. Numbers of different protocols cannot be compared: PSNR on RGB is 1.5 to 2 dB lower than PSNR on luma.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio

from sr.metrics.color import luma
from sr.metrics.measure import Measure
from sr.metrics.precision import full_precision
from sr.metrics.quantity import HIGHER, LOWER, Quantity, measure, quantities_of
from sr.metrics.ssim import WINDOW, ssim
from sr.ops.masked import masked_mean
from sr.ops.normalisation import FULL_RANGE, Normalisation
from sr.ops.three_bands import check_bands

SPACES = {"y": "Y", "rgb": "RGB", "channels": "all channels"}  # name -> in titles
PSNR = Quantity(better=HIGHER, digits=".2f", unit="dB", title="PSNR")
SSIM = Quantity(better=HIGHER, digits=".4f", title="SSIM")
MSE = Quantity(better=LOWER, digits=".2e", title="mean squared error")


class Protocol:
    """PSNR, SSIM and MSE of 8-bit images, one value per image.

    Both images are clamped to [0, 1] and rounded to 8 bits (see `bits`), and `crop_border` pixels are cut from each
    side. PSNR and SSIM (see `sr.metrics.ssim`) are computed in each of `spaces`, MSE over all channels of images in
    [0, 1].

    Args:
        crop_border: the number of pixels that are cut from each side; published tables take the scale.
        spaces: the colour spaces: `y` is luma of ITU-R BT.601, `rgb` the three colour channels together, `channels`
            all channels of an image of any kind (gray, multispectral) together.
        round_luma: whether luma is rounded to 8 bits. MATLAB's `rgb2ycbcr` does so with 8-bit images, and therefore
            the scripts behind most published tables. It changes the last printed digits.
        mse: whether MSE is among the values.
        measures: further metrics by name, which get the same pixels; null for none.
        bits: the bits that both images are rounded to, after they are clamped to [0, 1]; null for neither, as measured
            values of many bands want.

    Attributes:
        by: the way between the values of files and those of nets, which is undone for measures that want units of the
            files. By default it is the full range of the type.

    Raises:
        ValueError: an unknown space, a negative border, two values of one name.
        TypeError: a measure is no `sr.metrics.measure.Measure`.
    """

    def __init__(
        self,
        *,
        crop_border: int,
        spaces: Sequence[str] = ("y", "rgb"),
        round_luma: bool = False,
        mse: bool = True,
        measures: Mapping[str, Measure] | None = None,
        bits: int | None = 8,
    ) -> None:
        unknown = sorted(set(spaces) - set(SPACES))
        if unknown or not spaces:
            raise ValueError(f"metric spaces={list(spaces)}: choose one or more of {', '.join(SPACES)}")
        if crop_border < 0:
            raise ValueError(f"metric crop_border={crop_border} must be 0 or more")
        if bits is not None and not 1 <= bits <= 24:
            raise ValueError(f"metric bits={bits} must be 1 to 24, or null")
        self.crop_border = crop_border
        self.bits = bits
        self.by: Normalisation = FULL_RANGE
        self.spaces = tuple(spaces)
        self.round_luma = round_luma
        self.mse = mse
        self.measures = _checked(measures or {}, others=self._own())

    takes_valid = True

    @property
    def quantities(self) -> dict[str, Quantity]:
        """What a call returns, in order: psnr_y, ssim_y, psnr_rgb, ssim_rgb, mse, and those of the measures."""
        return self._own() | self.further

    @property
    def further(self) -> dict[str, Quantity]:
        """What the measures return, in their order."""
        return {k: quantity for each in self.measures.values() for k, quantity in each.quantities.items()}

    def _own(self) -> dict[str, Quantity]:
        pairs = (("psnr", PSNR), ("ssim", SSIM))
        found = {
            f"{metric}_{space}": replace(quantity, title=f"{quantity.title} on {SPACES[space]}")
            for space in self.spaces
            for metric, quantity in pairs
        }
        return {**found, "mse": MSE} if self.mse else found

    @property
    def smallest(self) -> int:
        """The smallest height and width of an image in pixels, for the border, the window of SSIM and the measures."""
        return 2 * self.crop_border + max(WINDOW, *(each.smallest for each in self.measures.values()), 0)

    def check_channels(self, channels: int) -> None:
        """Raises ValueError where a colour space or a measure needs another number of channels."""
        wrong = [space for space in self.spaces if space != "channels" and channels != 3]
        if wrong:
            raise ValueError(_not_rgb(wrong[0], channels))
        for name, each in self.measures.items():
            if hasattr(each, "bands"):
                check_bands(each.bands, channels=channels, key=f"measure.{name}.bands")
            if each.channels not in (None, channels):
                raise ValueError(f"measure {name} needs images of {each.channels} channels, got {channels}")

    def describe(self) -> dict[str, str]:
        """Name -> one sentence on how it is computed, for whoever reads the values."""
        luma_words = f"ITU-R BT.601, studio swing, {'rounded to 8 bits' if self.round_luma else 'unrounded'}"
        return {
            "rounding": f"both images clamped to [0, 1] and rounded to {self.bits} bits"
            if self.bits
            else "neither clamped nor rounded",
            **_range_in_words(self.by.content),
            **({"luma": luma_words} if "y" in self.spaces else {}),
            "ssim": "Gaussian window 11 x 11, sigma 1.5, K = (0.01, 0.03), mean over the positions where it fits",
            **({"mse": "all channels, images in [0, 1]"} if self.mse else {}),
            **{name: words for each in self.measures.values() for name, words in each.describe().items()},
            "aggregation": "mean over images of the value of each image",
        }

    @torch.no_grad()
    def __call__(self, sr: Tensor, hr: Tensor, *, valid: Tensor | None = None) -> dict[str, Tensor]:
        """(N, C, H, W) float images, nominally in [0, 1] -> name -> (N,) float32.

        With `valid`, (N, C, H, W) bool, only such pixels count, and of SSIM only windows that see nothing else. A value
        of nothing is NaN.

        Raises:
            ValueError: the shapes differ, the images are too small for the border, the SSIM window and the measures,
                or a colour space needs RGB images and these are not.
        """
        if sr.shape != hr.shape:
            raise ValueError(f"images of {tuple(sr.shape)} and {tuple(hr.shape)} cannot be compared")
        if min(hr.shape[-2:]) < self.smallest:
            size = f"{hr.shape[-1]} x {hr.shape[-2]}"
            needs = {"the SSIM window": WINDOW, **{k: each.smallest for k, each in self.measures.items()}}
            largest = max(needs, key=needs.__getitem__)
            raise ValueError(
                f"an image of {size} pixels is too small for crop_border={self.crop_border} and {largest} of"
                f" {needs[largest]} pixels: {self.smallest} pixels are needed"
            )
        with full_precision(sr.device):
            a, b = self.prepare(sr), self.prepare(hr)
            return self._measure(a, b, None if valid is None else self._inside(valid).to(b.device))

    def _measure(self, sr: Tensor, hr: Tensor, valid: Tensor | None) -> dict[str, Tensor]:
        values: dict[str, Tensor] = {}
        for space in self.spaces:
            a, b = self._in_space(sr, space), self._in_space(hr, space)
            counted = valid
            if valid is not None and a.shape != valid.shape:  # luma, which needs all channels
                counted = valid.all(dim=1, keepdim=True)
            values[f"psnr_{space}"] = _psnr(a, b, counted)
            values[f"ssim_{space}"] = ssim(a, b, valid=counted)
        if self.mse:
            squares = (sr - hr).square()
            values["mse"] = squares.mean(dim=(1, 2, 3)) if valid is None else masked_mean(squares, valid)
        for each in self.measures.values():
            a, b = (self.by.undone(sr), self.by.undone(hr)) if each.physical else (sr, hr)
            values |= measure(each, a, b, valid=valid)
        return {name: value.float() for name, value in values.items()}

    def prepare(self, images: Tensor) -> Tensor:
        """The pixels that are compared: (N, C, H, W) -> double precision, border cut; clamped and rounded, unless
        `bits` is None."""
        if images.device.type == "mps":  # has no double precision
            images = images.cpu()
        if self.bits is None:
            return self._inside(images.double())
        top: int = 2**self.bits - 1
        return self._inside((images.double().clamp(0, 1) * top).round()) / top

    def _inside(self, images: Tensor) -> Tensor:
        border = self.crop_border
        height, width = images.shape[-2:]
        return images[..., border : height - border, border : width - border]

    def _in_space(self, images: Tensor, space: str) -> Tensor:
        channels = images.shape[1]
        if space == "channels" or (space == "rgb" and channels == 3):
            return images
        if space == "y" and channels == 3:
            return (luma(images) * 255).round() / 255 if self.round_luma else luma(images)
        raise ValueError(_not_rgb(space, channels))


def _checked(measures: Mapping[str, Measure], *, others: Mapping[str, Quantity]) -> dict[str, Measure]:
    taken = set(others)
    for name, each in measures.items():
        if not isinstance(each, Measure):
            raise TypeError(
                f"measure.{name} is a {type(each).__name__}, and must be a subclass of sr.metrics.measure.Measure"
            )
        quantities_of(each)
        twice = sorted(taken & set(each.quantities))
        if twice:
            raise ValueError(
                f"measure.{name} gives {', '.join(twice)}, which is there already: name it otherwise"
            )
        taken |= set(each.quantities)
    return dict(measures)


def _not_rgb(space: str, channels: int) -> str:
    return (
        f"metric space {space} needs RGB images, got {channels} channels: metric=channels takes any (in training with"
        " monitor=psnr_channels)"
    )


def _range_in_words(content: Mapping[str, list[float]] | None) -> dict[str, str]:
    """What 0 and 1 are where it is not the full range of the type, since PSNR, SSIM and MSE depend on it."""
    if content is None:
        return {}
    low, high = (", ".join(f"{value:.6g}" for value in content[key]) for key in ("low", "high"))
    return {"range": f"the values that are 0 and 1, band by band: {low} and {high} of the files"}


def _psnr(a: Tensor, b: Tensor, valid: Tensor | None) -> Tensor:
    if valid is not None:
        return -10 * masked_mean((a - b).square(), valid).log10()
    # One image at a time: for a batch, torchmetrics pools the squared error, which gives another number.
    pairs = zip(torch.split(a, 1), torch.split(b, 1), strict=True)
    return torch.stack([peak_signal_noise_ratio(x, y, data_range=1.0) for x, y in pairs])
