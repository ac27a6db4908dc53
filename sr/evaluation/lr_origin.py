"""Where the LR images of an evaluation came from, one class per origin."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LRFiles:
    """LR files of the user.

    Attributes:
        directory: the directory of the files.
    """

    directory: str

    def sentence(self, *, scale: int) -> str:
        return f"files in {self.directory}"


@dataclass(frozen=True)
class SqueezedLR:
    """LR squeezed to squares of one size, whatever the shape of HR.

    Attributes:
        squeeze: height and width of LR in pixels.
    """

    squeeze: int

    def sentence(self, *, scale: int) -> str:
        return (
            f"HR squeezed to {self.squeeze} x {self.squeeze} by bicubic interpolation without antialiasing (OpenCV),"
            f" enlarged x{scale} and resized back to the size of HR in the same way; not the LR of published tables"
        )


@dataclass(frozen=True)
class DegradedLR:
    """LR made by a degradation that is not random.

    Attributes:
        degradation: the configuration of the degradation.
    """

    degradation: Mapping[str, Any]

    def sentence(self, *, scale: int) -> str:
        plain = self.degradation["_target_"] == "sr.degradations.bicubic.BicubicDegradation"
        if plain:
            return f"MATLAB's antialiased bicubic, x{scale}, rounded to 8 bits"
        return f"made by {stage_names(self.degradation)}"


@dataclass(frozen=True)
class DrawnLR:
    """LR made by a random degradation.

    Attributes:
        degradation: the configuration of the degradation.
        seed: the seed of what is drawn.
        draws: the number of LR images that are drawn for each HR image.
    """

    degradation: Mapping[str, Any]
    seed: int
    draws: int

    def sentence(self, *, scale: int) -> str:
        times = "one draw" if self.draws == 1 else f"{self.draws} draws"
        return (
            f"{times} of each image with seed={self.seed} by {stage_names(self.degradation)}. These are not the bicubic"
            " LR of published tables: compare with the same images, degradation, seed and draws alone."
        )


LROrigin = LRFiles | SqueezedLR | DegradedLR | DrawnLR


def lr_origin(
    *,
    lr_dir: str | None,
    squeeze: int | None,
    degradation: Mapping[str, Any],
    is_random: bool,
    seed: int,
    draws: int,
) -> LROrigin:
    """The origin that follows from the settings of an evaluation.

    Args:
        lr_dir: the directory of the user's LR images, if there are any.
        squeeze: height and width of squeezed LR images in pixels, if they are squeezed.
        degradation: the configuration of the degradation, which makes LR where the two above are None.
        is_random: whether the degradation draws anything.
        seed: the seed of what is drawn.
        draws: the number of LR images that are drawn for each HR image.
    """
    if squeeze is not None:
        return SqueezedLR(squeeze)
    if lr_dir:
        return LRFiles(lr_dir)
    if is_random:
        return DrawnLR(degradation, seed=seed, draws=draws)
    return DegradedLR(degradation)


def stage_names(degradation: Mapping[str, Any]) -> str:
    """`first (blur, noise), last`: the stages of a configured degradation; its class where it has no stages."""
    return _stages(degradation.get("stages", {})) or str(degradation["_target_"])


def _stages(stages: Mapping[str, Any]) -> str:
    names = []
    for name, stage in stages.items():
        inner = stage.get("stages") if "_target_" in stage else stage
        names.append(f"{name} ({_stages(inner)})" if inner else name)
    return ", ".join(names)
