"""A folder for the Hugging Face Hub: the weights, what builds the net, and the model card as its README.md.

It is made without the Hub and without its library: the front matter is YAML, of which JSON is a part.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor

from sr.export.card import PACKAGE
from sr.export.half import DTYPES
from sr.export.hub_licenses import front_matter_of
from sr.export.state_dict import Safetensors
from sr.ops.text_table import markdown
from sr.weights.generator import TrainedGenerator, stated

README, CONFIG, WEIGHTS = "README.md", "config.json", "model.safetensors"


class HuggingFace:
    """`README.md` with the model card, `config.json` with what builds the net, and `model.safetensors`."""

    parts: tuple[str, ...] = (README, CONFIG, WEIGHTS)
    tolerance: Mapping[str, float] = MappingProxyType(dict.fromkeys(DTYPES, 0.0))
    packages: tuple[str, ...] = ()
    extra: str = ""

    def encode(
        self, trained: TrainedGenerator, card: Mapping[str, str], *, dtype: str = "fp32"
    ) -> dict[str, bytes]:
        (weights,) = Safetensors().encode(trained, card, dtype=dtype).values()
        config = {"architectures": [trained.name], **stated(trained)}
        return {
            README: readme(card).encode(),
            CONFIG: json.dumps(config, indent=2).encode(),
            WEIGHTS: weights,
        }

    def load(self, path: Path, *, trust: Sequence[str] = ()) -> Callable[[Tensor], Tensor]:
        return Safetensors().load(path / WEIGHTS, trust=trust)


def readme(card: Mapping[str, str]) -> str:
    """The text of README.md: front matter as the Hub reads it, how the net is used, its metrics, and the whole card."""
    metrics: dict[str, float] = json.loads(card.get("metrics", "{}"))
    front: dict[str, Any] = {
        **front_matter_of(card.get("license")),
        "library_name": PACKAGE,
        "pipeline_tag": "image-to-image",
        "tags": ["super-resolution", card["architecture"].lower(), f"x{card['scale']}"],
    }
    if metrics:
        front |= {
            "metrics": sorted({_kind(name) for name in metrics}),
            "model-index": [_index(card, metrics)],
        }
    lines = ["---", *(f"{key}: {json.dumps(value)}" for key, value in front.items()), "---", ""]
    return "\n".join([*lines, *_body(card, metrics), ""])


def _index(card: Mapping[str, str], metrics: Mapping[str, float]) -> dict[str, Any]:
    """What the Hub shows as evaluation results."""
    found = [{"type": _kind(name), "name": name, "value": value} for name, value in metrics.items()]
    return {
        "name": card["title"],
        "results": [
            {
                "task": {"type": "image-to-image"},
                "dataset": {"type": "validation", "name": "the validation images of the run"},
                "metrics": found,
            }
        ],
    }


def _body(card: Mapping[str, str], metrics: Mapping[str, float]) -> Iterator[str]:
    yield f"# {card['title']}"
    yield ""
    yield f"A net that enlarges images {card['scale']} times. With the package {PACKAGE}:"
    yield ""
    yield "```"
    yield f"sr-upscale photos --ckpt {WEIGHTS} --out large"
    yield "```"
    yield ""
    if metrics:
        yield "Metrics of the last validation of the run:"
        yield ""
        yield from markdown(
            [("metric", "value"), *((name, f"{value:.4g}") for name, value in metrics.items())]
        )
        yield ""
    yield "All that is known of the net:"
    yield ""
    yield from markdown([("key", "value"), *((key, card[key]) for key in sorted(card) if key != "metrics")])
    yield ""


def _kind(metric: str) -> str:
    """The metric without what it was computed on: psnr of psnr_y."""
    return metric.partition("_")[0]
