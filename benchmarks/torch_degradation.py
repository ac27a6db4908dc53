"""Real-ESRGAN's second-order degradation as a plain PyTorch batch, the way most projects write it.

It stands for the usual implementation in a comparison of speed, and it is independent of `sr.degradations`: it uses
only the drawn numbers and kernels of that package. These are drawn for a batch: whether there is a second blur, the
kind of noise, the size and mode of each resize, and the order of the last steps. These are drawn for each sample:
kernels, strength and colour of the noise, and JPEG quality.
"""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sr.degradations import draws
from sr.degradations.blur import RandomBlur, RandomSinc

TAPS = 21
MODES = ("area", "bilinear", "bicubic")
FAMILIES = {
    "iso": 0.45,
    "aniso": 0.25,
    "generalized_iso": 0.12,
    "generalized_aniso": 0.03,
    "plateau_iso": 0.12,
    "plateau_aniso": 0.03,
}
QUALITY = (30, 95)
GRAY_PROBABILITY = 0.4
SECOND_BLUR_PROBABILITY = 0.8

# From RGB to luma and two colour differences (JFIF), one in each row. The differences lie around 0.
YCC = torch.tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
LUMA_STEPS = torch.tensor(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    dtype=torch.float32,
)
CHROMA_STEPS = torch.full((8, 8), 99.0)
CHROMA_STEPS[:4, :4] = torch.tensor([[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]])


class TorchDegradation:
    """HR -> LR, batch by batch.

    Args:
        scale: the factor that height and width are divided by.
        seed: the seed of everything that is drawn.
    """

    def __init__(self, *, scale: int, seed: int) -> None:
        self.scale = scale
        self.rng = np.random.default_rng(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.first_blur = RandomBlur(families=FAMILIES, sigma=(0.2, 3), sinc_probability=0.1)
        self.second_blur = RandomBlur(families=FAMILIES, sigma=(0.2, 1.5), sinc_probability=0.1)
        self.last_sinc = RandomSinc(probability=0.8, cutoff=(math.pi / 3, math.pi))

    @torch.no_grad()
    def __call__(self, hr: Tensor) -> tuple[Tensor, Tensor]:
        """Sharpen a batch and degrade it.

        Args:
            hr: (N, 3, H, W) float32 in [0, 1], with H and W multiples of scale.

        Returns:
            LR (N, 3, H / scale, W / scale) in [0, 1] on 8-bit levels, and sharpened HR (N, 3, H, W).
        """
        height, width = hr.shape[-2:]
        sharpened = unsharp_mask(hr)
        image = filter_batch(sharpened, self._kernels(self.first_blur, len(hr)))
        factor = self._factor(up=0.2, down=0.7, factors=(0.15, 1.5))
        image = self._resize(image, int(height * factor), int(width * factor))
        image = self._noise(image, sigma=(1, 30), strength=(0.05, 3))
        image = self._jpeg(image)
        if draws.happens(self.rng, SECOND_BLUR_PROBABILITY):
            image = filter_batch(image, self._kernels(self.second_blur, len(hr)))
        factor = self._factor(up=0.3, down=0.4, factors=(0.3, 1.2)) / self.scale
        image = self._resize(image, int(height * factor), int(width * factor))
        image = self._noise(image, sigma=(1, 25), strength=(0.05, 2.5))
        image = self._finish(image, height // self.scale, width // self.scale)
        lr = (image * 255).round_().clamp_(0, 255).div_(255)
        return lr, sharpened

    def _finish(self, image: Tensor, height: int, width: int) -> Tensor:
        """Resize to the size of LR and apply the last sinc filter, with JPEG before or after both."""
        jpeg_first = draws.happens(self.rng, 0.5)
        if jpeg_first:
            image = self._jpeg(image)
        image = self._resize(image, height, width)
        image = filter_batch(image, self._kernels(self.last_sinc, len(image)))
        return image if jpeg_first else self._jpeg(image)

    def _kernels(self, stage: RandomBlur | RandomSinc, count: int) -> Tensor:
        """Kernels (count, TAPS, TAPS): smaller ones have zeros around them, and no blur is a single 1."""
        kernels = torch.zeros(count, TAPS, TAPS)
        for kernel in kernels:
            step = stage.draw(self.rng)
            found = np.ones((1, 1)) if step is None else step.kernel
            margin = (TAPS - len(found)) // 2
            kernel[margin : TAPS - margin, margin : TAPS - margin] = torch.from_numpy(found)
        return kernels

    def _factor(self, *, up: float, down: float, factors: tuple[float, float]) -> float:
        direction = draws.choose(self.rng, {"up": up, "down": down, "keep": 1 - up - down})
        bounds = {"up": (1, factors[1]), "down": (factors[0], 1), "keep": (1, 1)}
        return draws.uniform(self.rng, bounds[direction])

    def _resize(self, image: Tensor, height: int, width: int) -> Tensor:
        """(N, 3, any, any) -> (N, 3, height, width), with one mode that is drawn for the batch."""
        return F.interpolate(image, size=(height, width), mode=draws.pick(self.rng, MODES))

    def _noise(self, image: Tensor, *, sigma: tuple[float, float], strength: tuple[float, float]) -> Tensor:
        """Add Gaussian noise of sigma / 255, or Poisson noise. (N, 3, H, W) -> the same shape, in [0, 1]."""
        gaussian = draws.happens(self.rng, 0.5)
        gray = self._per_sample(image, (0, 1)) < GRAY_PROBABILITY
        make = self._gaussian if gaussian else self._poisson
        noise = make(image)
        if gray.any():
            noise = torch.where(gray, make(_luma(image)), noise)
        scale = self._per_sample(image, sigma) / 255 if gaussian else self._per_sample(image, strength)
        return noise.mul_(scale).add_(image).clamp_(0, 1)

    def _gaussian(self, image: Tensor) -> Tensor:
        return torch.randn(image.shape, generator=self.generator)

    def _poisson(self, image: Tensor) -> Tensor:
        """The deviation of Poisson noise from the image.

        The expected count at a pixel is its value times a peak, which is the number of distinct levels in the image,
        rounded up to a power of two.
        """
        levels = (image * 255).round_().clamp_(0, 255)
        distinct = [len(torch.unique(sample)) for sample in levels]
        peaks = torch.tensor([2.0 ** math.ceil(math.log2(count)) for count in distinct]).view(-1, 1, 1, 1)
        mean = levels.div_(255)
        return torch.poisson(mean * peaks, generator=self.generator).div_(peaks).sub_(mean)

    def _jpeg(self, image: Tensor) -> Tensor:
        low, high = QUALITY
        return jpeg(image, torch.randint(low, high + 1, (len(image),), generator=self.generator))

    def _per_sample(self, image: Tensor, bounds: tuple[float, float]) -> Tensor:
        """Numbers (N, 1, 1, 1) that are uniform between the bounds."""
        return torch.rand(len(image), 1, 1, 1, generator=self.generator) * (bounds[1] - bounds[0]) + bounds[0]


def filter_batch(image: Tensor, kernels: Tensor) -> Tensor:
    """Filter each sample with its own kernel, or all with one. The border is mirrored without repeating the edge pixel.

    Args:
        image: (N, C, H, W).
        kernels: (N, odd, odd), or (1, odd, odd) for all samples.

    Returns:
        (N, C, H, W).
    """
    count, channels = image.shape[:2]
    padded = F.pad(image, (kernels.shape[-1] // 2,) * 4, mode="reflect")
    # One kernel for all samples is repeated too: an ordinary convolution of one channel takes 8 times as long.
    weight = kernels.expand(count, -1, -1).repeat_interleave(channels, dim=0)[:, None]
    groups = count * channels
    return F.conv2d(padded.view(1, groups, *padded.shape[-2:]), weight, groups=groups).view_as(image)


def unsharp_mask(image: Tensor, *, weight: float = 0.5, radius: int = 50, threshold: float = 10) -> Tensor:
    """Add detail, softly blended, where it exceeds threshold / 255. (N, C, H, W) in [0, 1] -> the same."""
    taps = radius | 1
    offset = torch.arange(taps, dtype=torch.float64) - taps // 2
    sigma = 0.3 * ((taps - 1) * 0.5 - 1) + 0.8  # OpenCV's rule for a kernel of that size
    line = torch.softmax(-0.5 * (offset / sigma) ** 2, dim=0)
    kernel = torch.outer(line, line).float()[None]
    residual = image - filter_batch(image, kernel)
    soft = filter_batch((residual.abs() * 255 > threshold).float(), kernel)
    sharp = (image + weight * residual).clamp_(0, 1)
    return soft * sharp + (1 - soft) * image


def jpeg(image: Tensor, quality: Tensor) -> Tensor:
    """Apply the losses of JPEG with 4:2:0 chroma.

    Args:
        image: (N, 3, H, W) float32; values outside [0, 1] are clipped.
        quality: (N,), from 1 to 100.

    Returns:
        (N, 3, H, W) in [0, 1], not rounded to levels.
    """
    height, width = image.shape[-2:]
    levels = F.pad(image.clamp(0, 1) * 255, (0, -width % 16, 0, -height % 16), mode="replicate")
    ycc = torch.einsum("dc,nchw->ndhw", YCC, levels)
    luma = _through_blocks(ycc[:, :1] - 128, _steps(LUMA_STEPS, quality)) + 128
    chroma = _through_blocks(F.avg_pool2d(ycc[:, 1:], 2), _steps(CHROMA_STEPS, quality))
    # As in libjpeg; many implementations take the nearest pixel.
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear")
    rgb = torch.einsum("cd,ndhw->nchw", torch.linalg.inv(YCC), torch.cat([luma, chroma], dim=1))
    return rgb[..., :height, :width].clamp(0, 255) / 255


def _steps(base: Tensor, quality: Tensor) -> Tensor:
    """The quantisation table of libjpeg for each quality: (8, 8) and (N,) -> (N, 1, 1, 64)."""
    quality = quality.float().view(-1, 1, 1, 1)
    percent = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    return ((base.view(64) * percent + 50) / 100).floor().clamp(1, 255)


def _through_blocks(planes: Tensor, steps: Tensor) -> Tensor:
    """Transform 8 x 8 blocks by DCT, round to multiples of the steps, and transform back.

    (N, C, H, W) -> the same shape, with H and W multiples of 8.
    """
    count, channels, height, width = planes.shape
    blocks = planes.reshape(count, channels, height // 8, 8, width // 8, 8).transpose(3, 4)
    transform = _dct()
    coefficients = blocks.reshape(count, channels, -1, 64) @ transform.T
    restored = coefficients.div_(steps).round_().mul_(steps) @ transform
    return restored.view(count, channels, height // 8, width // 8, 8, 8).transpose(3, 4).reshape_as(planes)


def _dct() -> Tensor:
    """The orthonormal two-dimensional DCT-II of a flattened 8 x 8 block: (64, 64), one row for each frequency."""
    index = torch.arange(8, dtype=torch.float64)
    line = torch.cos(math.pi / 8 * (index + 0.5) * index[:, None]) / 2
    line[0] /= math.sqrt(2)
    return torch.kron(line, line).float()


def _luma(image: Tensor) -> Tensor:
    """The luma of RGB images: (N, 3, H, W) -> (N, 1, H, W)."""
    return torch.einsum("c,nchw->nhw", YCC[0], image)[:, None]
