"""Any albumentations transform as a stage."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import albumentations
import numpy as np

from sr.degradations import draws


@dataclass(frozen=True, kw_only=True)
class Transform:
    """An albumentations transform with the seed of its own draws.

    Attributes:
        description: `albumentations.to_dict` of it, as JSON.
        seed: the seed of the transform's own draws.
    """

    description: str
    seed: int

    def __call__(self, image: np.ndarray, *, hr_size: tuple[int, int]) -> np.ndarray:
        compose = _compose(self.description)
        compose.set_random_seed(self.seed)
        changed = np.asarray(compose(image=image)["image"])
        if changed.shape != image.shape:
            raise ValueError(
                f"an albumentations stage must keep the size: {image.shape} became {changed.shape}"
            )
        return changed.astype(np.float32, copy=False)


class RandomTransform:
    """An albumentations transform as a stage, with its own draws, including its probability `p`.

    Args:
        transform: a transform that keeps the size of the image and the position of everything in it.

    Raises:
        ValueError: the transform was built with an argument that it does not know.
    """

    def __init__(self, *, transform: albumentations.BasicTransform) -> None:
        # Without `strict`, an unknown argument only causes a warning.
        compose = albumentations.Compose([transform], strict=True)
        self.description = json.dumps(albumentations.to_dict(compose))

    def draw(self, rng: np.random.Generator) -> Transform:
        return Transform(description=self.description, seed=draws.seed(rng))


@lru_cache(maxsize=32)
def _compose(description: str) -> Any:
    return albumentations.from_dict(json.loads(description))
