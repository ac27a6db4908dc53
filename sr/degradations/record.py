"""The draws for one sample, which give the same LR to the bit when they are applied again."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, Self

import numpy as np

from sr.degradations.step import Step
from sr.ops.image import quantize
from sr.ops.trusted import NotTrustedError, import_path, trusted_class, trusted_packages

# Raised whenever the same parameters begin to give other pixels, or a step has other fields.
VERSION = 2
HERE = "sr.degradations"  # the package whose steps every record may name


class DegradationError(RuntimeError):
    """A step could not be applied; the message holds the record."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """The steps of one sample in order, each under the path of the stage that drew it, such as `first.blur`.

    Attributes:
        scale: the factor between LR and HR.
        steps: path -> step.
        version: the version of the parameters' meaning.
    """

    scale: int
    steps: Mapping[str, Step]
    version: int = field(default=VERSION)

    def apply(self, hr: np.ndarray, *, as_saved: Callable[[np.ndarray], np.ndarray] = quantize) -> np.ndarray:
        """(H, W, C) float32 in [0, 1], H and W multiples of scale -> (H / scale, W / scale, C), rounded as saved.

        Args:
            hr: the image.
            as_saved: (H, W, C) float32 -> the values that saving LR as a file and reading it would give; by default
                those of 8 bits.

        Raises:
            DegradationError: a step failed, or the last one did not lead to the size of LR.
        """
        height, width = hr.shape[:2]
        image = hr
        for path, step in self.steps.items():
            try:
                image = step(image, hr_size=(height, width))
            except (
                Exception
            ) as error:  # whatever the error is, its report needs the parameters that led to it
                raise DegradationError(f"{path} failed: {error}; the draws were {self.to_json()}") from error
        if (image.shape[0] * self.scale, image.shape[1] * self.scale) != (height, width):
            raise DegradationError(
                f"the stages made {width} x {height} pixels {image.shape[1]} x {image.shape[0]}, which is not LR at"
                f" scale={self.scale}: there must be a sr.degradations.resize.ResizeToLR; the draws were"
                f" {self.to_json()}"
            )
        return as_saved(image)

    def content(self) -> dict[str, Any]:
        """The content of the JSON: plain numbers, words, lists and dicts."""
        steps = [
            {"path": path, "kind": import_path(type(step)), **_fields(step)}
            for path, step in self.steps.items()
        ]
        return {"version": self.version, "scale": self.scale, "steps": steps}

    def parameters(self) -> dict[str, float | str]:
        """See `parameters`."""
        return parameters(self.content())

    def to_json(self) -> str:
        return json.dumps(self.content())

    @classmethod
    def from_json(cls, text: str, *, trust: Sequence[str] = ()) -> Self:
        """Read what `to_json` wrote.

        Args:
            text: the JSON.
            trust: packages besides `sr.degradations` whose steps the record may name.

        Raises:
            ValueError: the text is not a record, has another version, or names other classes.
        """
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
        return cls(scale=scale, steps=dict(_step(found, trust=trust) for found in steps))


def parameters(content: Mapping[str, Any]) -> dict[str, float | str]:
    """The drawn parameters in one flat table, as `first.blur.sigma_x`, from the content of a record.

    `first.blur.kind` is the name of the step's class. Left out are the seeds of noise fields, the draws that
    albumentations makes itself, and parameters that do not apply.
    """
    found: dict[str, float | str] = {}
    for step in content["steps"]:
        shown = {**step, "kind": step["kind"].rpartition(".")[2]}
        for name, value in shown.items():
            if name not in ("path", "seed", "description") and value is not None:
                found[f"{step['path']}.{name}"] = value
    return found


def _fields(step: Step) -> dict[str, Any]:
    return asdict(step)  # type: ignore[call-overload, no-any-return]


def _step(fields: dict[str, Any], *, trust: Sequence[str]) -> tuple[str, Step]:
    path, kind = fields.pop("path", None), fields.pop("kind", None)
    try:
        found = trusted_class(str(kind), packages=trusted_packages(HERE, trust))
    except NotTrustedError as error:
        words = f". If you trust it: trust=[{error.package}]" if error.package else ""
        raise ValueError(f"degradation record: {path}.kind: {error}{words}") from error
    if not _is_step(found):
        raise ValueError(f"degradation record: {path}.kind={kind!r} is not a step")
    try:
        step: Step = found(**fields)
    except TypeError as error:
        raise ValueError(f"degradation record: {path}: {error}") from error
    return str(path), step


def _is_step(kind: type[Any]) -> bool:
    """Whether it is a dataclass whose objects can be called, as every step is."""
    return is_dataclass(kind) and issubclass(kind, Step)
