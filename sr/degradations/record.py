"""What was drawn for one sample: applied again it gives the same LR to the bit."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np

from sr.degradations.blur import Blur, Sinc
from sr.degradations.compression import Jpeg, Webp
from sr.degradations.noise import GaussianNoise, PoissonNoise
from sr.degradations.resize import MatlabBicubic, Resize
from sr.degradations.step import Step
from sr.degradations.transform import Transform
from sr.ops.image import quantize

# Raised whenever the same parameters begin to give other pixels, or a step has other fields.
VERSION = 1
# What can be replayed; a new kind of step is entered here.
KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (MatlabBicubic, Blur, Sinc, Resize, GaussianNoise, PoissonNoise, Jpeg, Webp, Transform)
}


class DegradationError(RuntimeError):
    """A step could not be applied; the message holds the record."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """The steps of one sample in their order, each under the path of the stage that drew it, as `first.blur`.

    Attributes:
        scale: HR is so many times as large as LR.
        steps: path -> step.
        version: of the meaning of the parameters.
    """

    scale: int
    steps: Mapping[str, Step]
    version: int = field(default=VERSION)

    def apply(self, hr: np.ndarray) -> np.ndarray:
        """(H, W, C) float32 in [0, 1], H and W multiples of scale -> (H / scale, W / scale, C) on 8-bit levels.

        Raises:
            DegradationError: a step failed, or the last one did not lead to the size of LR.
        """
        height, width = hr.shape[:2]
        image = hr
        for path, step in self.steps.items():
            try:
                image = step(image, hr_size=(height, width))
            except Exception as error:  # whatever it was, the parameters that led to it are what is needed
                raise DegradationError(f"{path} failed: {error}; drawn was {self.to_json()}") from error
        if (image.shape[0] * self.scale, image.shape[1] * self.scale) != (height, width):
            raise DegradationError(
                f"the stages made {width} x {height} pixels {image.shape[1]} x {image.shape[0]}, which is not LR at"
                f" scale={self.scale}: there must be a sr.degradations.resize.ResizeToLR; drawn was {self.to_json()}"
            )
        return quantize(image)

    def content(self) -> dict[str, Any]:
        """Plain numbers, words, lists and dicts: what the JSON holds."""
        steps = [
            {"path": path, "kind": type(step).__name__, **_fields(step)} for path, step in self.steps.items()
        ]
        return {"version": self.version, "scale": self.scale, "steps": steps}

    def parameters(self) -> dict[str, float | str]:
        """See `parameters`."""
        return parameters(self.content())

    def to_json(self) -> str:
        return json.dumps(self.content())

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises ValueError where the text is no record, or one of another version."""
        try:
            content = json.loads(text)
            version, scale = content["version"], content["scale"]
            steps = [dict(found) for found in content["steps"]]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"no degradation record (version, scale, steps): {text[:80]}") from error
        if version != VERSION:
            raise ValueError(
                f"degradation record of version={version}: this code replays version {VERSION}, since the same"
                " parameters may give other pixels in another one"
            )
        return cls(scale=scale, steps=dict(_step(found) for found in steps))


def parameters(content: Mapping[str, Any]) -> dict[str, float | str]:
    """What was drawn, flat, as `first.blur.sigma_x`, of the content of a record.

    Without the seeds of noise fields, what albumentations draws by itself, and what does not apply.
    """
    return {
        f"{step['path']}.{name}": value
        for step in content["steps"]
        for name, value in step.items()
        if name not in ("path", "seed", "description") and value is not None
    }


def _fields(step: Step) -> dict[str, Any]:
    return asdict(step)  # type: ignore[call-overload, no-any-return]


def _step(fields: dict[str, Any]) -> tuple[str, Step]:
    path, kind = fields.pop("path", None), fields.pop("kind", None)
    if kind not in KINDS:
        raise ValueError(
            f"degradation record: {path}.kind={kind!r} is unknown: choose from {', '.join(KINDS)}"
        )
    try:
        step: Step = KINDS[kind](**fields)
    except TypeError as error:
        raise ValueError(f"degradation record: {path}: {error}") from error
    return str(path), step
