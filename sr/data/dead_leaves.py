"""Procedural training images: textured, shaded leaves that occlude each other. No photograph is needed.

A dead leaves image drops random shapes on top of each other until nothing shows through. With radii from a
power law r^-3 the result is scale invariant and has the edges, the power spectrum and the marginal
statistics of natural images (Lee, Mumford, Huang, "Occlusion models for natural images", IJCV 2001).
Restoration nets trained on nothing else come close to nets trained on photographs (Achddou, Gousseau,
Ladjal, "Synthetic images as a regularity prior for image restoration neural networks", SSVM 2021; "Fully
synthetic training for image restoration tasks", CVIU 2023).
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Points = NDArray[np.int32]

TEXTURE_SIZE = 256  # textures are periodic, so one tile of this size serves leaves of every size
SUBPIXEL_BITS = 4  # OpenCV takes antialiased vertices as fixed-point integers
VERTICES = 32
PLAIN_RADIUS = 10.0  # pixels; smaller leaves are flat, quick to draw, and texture together


def render_dead_leaves(
    *,
    size: int,
    rng: np.random.Generator,
    channels: int = 3,
    exponent: float = 3.0,
    min_radius: float = 8.0,
    max_radius: float = 256.0,
    coverage: float = 3.0,
    elongation: float = 8.0,
    contrast: float = 0.45,
    chroma: float = 0.15,
    texture: float = 0.3,
    max_blur: float = 1.0,
) -> NDArray[np.uint8]:
    """One image, (size, size, channels) uint8, a function of its arguments and of `rng` alone.

    Radii (pixels) follow r^-exponent from `min_radius` to `max_radius`; leaves are dropped until their
    areas add up to `coverage` images, on a background that is a surface itself. Ellipses reach
    `elongation`:1. `contrast` and `chroma` are standard deviations of log intensity between leaves,
    `texture` the largest one inside a leaf. In the end the image is blurred by a Gaussian with sigma
    uniform up to `max_blur` pixels.
    """
    if not 0 < min_radius < max_radius:
        raise ValueError(f"min_radius={min_radius} must be positive and smaller than max_radius={max_radius}")
    radii = _radii(area=coverage * size**2, low=min_radius, high=max_radius, exponent=exponent, rng=rng)
    outlines = _outlines(radii, size=size, elongation=elongation, rng=rng)
    colors = _colors(len(radii) + 1, channels=channels, contrast=contrast, chroma=chroma, rng=rng)
    bank = _texture_bank(rng)
    image = np.empty((size, size, channels), np.uint8)
    image[:] = _surface((size, size), color=colors[-1], bank=bank, texture=texture, rng=rng)
    for radius, outline, color in zip(radii, outlines, colors[:-1], strict=True):
        if radius < PLAIN_RADIUS and channels <= 4:  # OpenCV draws at most four channels
            cv2.fillPoly(image, [outline], color.tolist(), cv2.LINE_AA, SUBPIXEL_BITS)
        else:
            _drop(image, outline=outline, color=color, bank=bank, texture=texture, rng=rng)
    sigma = rng.uniform(0, max_blur)
    if sigma > 0.2:  # a narrower Gaussian is the identity in 8 bits
        image[:] = cv2.GaussianBlur(image, (0, 0), sigma).reshape(image.shape)
    return image


def _radii(*, area: float, low: float, high: float, exponent: float, rng: np.random.Generator) -> Float:
    """Radii with density r^-exponent on [low, high], as many as fill `area` with disks on average."""
    grid = np.geomspace(low, high, 256)
    mass = grid ** (1 - exponent)  # per cell of the grid, which is even in log r
    mass /= mass.sum()
    count = max(1, round(area / (math.pi * float((mass * grid**2).sum()))))
    return np.interp(rng.random(count), np.cumsum(mass), grid).astype(np.float32)


def _outlines(radii: Float, *, size: int, elongation: float, rng: np.random.Generator) -> Points:
    """(leaves, VERTICES, 2) fixed-point x, y of disks, ellipses and polygons, turned, at random places.

    A polygon's corners lie on such an ellipse; its last corner is repeated to fill the array.
    """
    count = len(radii)
    circle = np.linspace(0, 2 * math.pi, VERTICES, endpoint=False)
    corners = np.sort(rng.uniform(0, 2 * math.pi, (count, 7)), axis=1)
    last = rng.integers(2, 7, (count, 1))
    polygon = np.take_along_axis(corners, np.minimum(np.arange(VERTICES), last), axis=1)
    theta = np.where(rng.random((count, 1)) < 0.5, polygon, circle)
    # The aspect ratio is log-uniform at equal area; a third of the leaves stays round.
    stretch = elongation ** (0.5 * rng.random((count, 1)) * (rng.random((count, 1)) < 0.67))
    x, y = np.cos(theta) * radii[:, None] * stretch, np.sin(theta) * radii[:, None] / stretch
    turn = rng.uniform(0, 2 * math.pi, (count, 1))
    turned = np.stack([np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y], axis=-1)
    center = rng.uniform(0, size, (count, 1, 2))
    outlines: Points = np.rint((turned + center) * 2**SUBPIXEL_BITS).astype(np.int32)
    return outlines


def _colors(count: int, *, channels: int, contrast: float, chroma: float, rng: np.random.Generator) -> Float:
    """(count, channels) intensities in [0, 255].

    Along opponent axes of log intensity natural colours are close to independent Gaussians, far wider in
    luminance than in chroma (Ruderman, Cronin, Chiao, "Statistics of cone responses to natural images",
    JOSA A 1998). The chroma axes are a Helmert basis: for RGB red - green and red + green - 2 blue. The
    image has a mean of its own along each: its light and its theme.
    """
    log_intensity = rng.normal(rng.normal(-0.9, 0.25), contrast, (count, 1)).repeat(channels, axis=1)
    for k in range(1, channels):
        axis = np.array([1.0] * k + [-k] + [0.0] * (channels - k - 1)) / math.sqrt(k * (k + 1))
        log_intensity += rng.normal(rng.normal(0, chroma), chroma, (count, 1)) * axis
    return (255 * np.exp(log_intensity)).clip(4, 251).astype(np.float32)


def _noise(*, exponent: float, anisotropy: float, rng: np.random.Generator) -> Float:
    """Periodic Gaussian noise of unit variance with amplitude spectrum f^-exponent, stretched along x."""
    y = np.fft.fftfreq(TEXTURE_SIZE, 1 / TEXTURE_SIZE)[:, None]
    x = np.fft.rfftfreq(TEXTURE_SIZE, 1 / TEXTURE_SIZE)[None]
    amplitude = ((anisotropy * x) ** 2 + y**2 + 1).astype(np.float32) ** np.float32(-exponent / 2)
    amplitude[0, 0] = 0  # no mean
    white = rng.standard_normal((*amplitude.shape, 2), np.float32).view(np.complex64)[..., 0]
    field: Float = np.fft.irfft2(white * amplitude, s=(TEXTURE_SIZE, TEXTURE_SIZE)).astype(np.float32)
    field /= field.std()
    return field


def _texture_bank(rng: np.random.Generator) -> list[Float]:
    """Periodic textures of about unit variance: fine and coarse noise, grain, spots and warped stripes."""
    fine = _noise(exponent=rng.uniform(0.4, 1.2), anisotropy=1, rng=rng)
    coarse = _noise(exponent=rng.uniform(1.2, 2.0), anisotropy=1, rng=rng)
    grain = _noise(exponent=rng.uniform(0.8, 1.6), anisotropy=rng.uniform(4, 12), rng=rng)
    spots = np.tanh(4 * _noise(exponent=rng.uniform(1.2, 2.0), anisotropy=rng.uniform(1, 2), rng=rng))
    phase = np.linspace(0, 2 * math.pi, TEXTURE_SIZE, endpoint=False, dtype=np.float32)
    waves_x, waves_y = rng.integers(4, 40, 2).tolist()  # whole numbers keep the tile periodic
    stripes = np.sin(waves_x * phase + waves_y * phase[:, None] + np.float32(rng.uniform(0, 2)) * coarse)
    return [fine, coarse, grain, spots, np.float32(math.sqrt(2)) * stripes]


def _surface(
    shape: tuple[int, int], *, color: Float, bank: list[Float], texture: float, rng: np.random.Generator
) -> Float:
    """(*shape, channels) intensities of one surface: colour * (1 + linear shading + a turned texture)."""
    height, width = shape
    angle, scale = rng.uniform(0, 2 * math.pi), math.exp(rng.uniform(-1.0, 0.7))
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    x, y = rng.uniform(0, TEXTURE_SIZE, 2).tolist()
    to_tile = np.array([[cos, -sin, x], [sin, cos, y]])
    tile = bank[rng.integers(len(bank))]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shade = cv2.warpAffine(tile, to_tile, (width, height), flags=flags, borderMode=cv2.BORDER_WRAP)
    shade = shade * np.float32(texture * rng.random() ** 2)  # most surfaces are nearly plain
    slope_x, slope_y = rng.normal(0, 0.4, 2).tolist()
    shade += (np.arange(width, dtype=np.float32) / width - 0.5) * slope_x
    shade += ((np.arange(height, dtype=np.float32) / height - 0.5) * slope_y + 1)[:, None]
    surface: Float = np.clip(shade[..., None] * color, 0, 255)
    return surface


def _drop(
    image: NDArray[np.uint8],
    *,
    outline: Points,
    color: Float,
    bank: list[Float],
    texture: float,
    rng: np.random.Generator,
) -> None:
    """Paint one leaf with its own surface over `image`, in place."""
    left, top = np.maximum((outline.min(axis=0) >> SUBPIXEL_BITS) - 2, 0).tolist()
    right, bottom = np.maximum((outline.max(axis=0) >> SUBPIXEL_BITS) + 3, 0).tolist()
    region = image[top:bottom, left:right]
    if region.size == 0:  # a polygon need not contain its centre
        return
    shape = (region.shape[0], region.shape[1])
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(
        mask, [outline - (np.array([left, top], np.int32) << SUBPIXEL_BITS)], 255, cv2.LINE_AA, SUBPIXEL_BITS
    )
    surface = _surface(shape, color=color, bank=bank, texture=texture, rng=rng)
    surface -= region
    surface *= (mask * np.float32(1 / 255))[..., None]
    surface += region
    region[:] = surface + 0.5
