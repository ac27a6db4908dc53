"""The difference between the images that a file gives and those of PyTorch."""

from collections.abc import Callable

import torch
from torch import Tensor
from tqdm import tqdm

from sr.weights.generator import TrainedGenerator

# (batch, height, width): different sides, odd ones, sides that a net which unshuffles pixels has to pad.
SIZES = ((1, 24, 40), (2, 17, 23), (3, 31, 10))


@torch.no_grad()
def largest_difference(trained: TrainedGenerator, run: Callable[[Tensor], Tensor]) -> float:
    """The largest difference over `SIZES`, on noise in [0, 1]; infinite if a shape differs, NaN if a value is NaN."""
    generator = torch.Generator().manual_seed(0)
    differences = []
    for batch, height, width in tqdm(SIZES, unit="batch", desc="comparing", leave=False, disable=None):
        image = torch.rand(batch, trained.channels, height, width, generator=generator)
        expected, found = trained.net(image), run(image)
        same = found.shape == expected.shape
        differences.append((found - expected).abs().max() if same else torch.tensor(torch.inf))
    return float(torch.stack(differences).max())
