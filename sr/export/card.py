"""The model card: the properties and the origin of a net, as a flat table of strings.

Unknown values are left out. From the configuration it takes what shapes the net (names, losses, degradation), and never
the folders of the machine that trained it.
"""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from sr.ops.normalisation import normalisation
from sr.weights.checkpoint import Checkpoint
from sr.weights.generator import TrainedGenerator

PACKAGE = "sr-lightning"
MODELSPEC_VERSION = "1.0.1"


def make_card(
    trained: TrainedGenerator, *, sources: Sequence[Checkpoint], alpha: float | None, license: str | None
) -> dict[str, str]:
    """The card of a net from one checkpoint, or from two between which `alpha` interpolates.

    For two checkpoints the keys begin with `first.` and `second.`, and metrics are left out, because they are not
    those of the interpolated net.
    """
    facts: dict[str, Any] = {
        "title": f"{' + '.join(map(_name, sources))} {trained.name} x{trained.scale}",
        "architecture": trained.name,
        "scale": trained.scale,
        "channels": trained.channels,
        "normalise": normalisation(trained.normalise).content,
        "exported_by": f"{PACKAGE} {version(PACKAGE)}",
        "license": license,
        "alpha": alpha,
    }
    if len(sources) == 1:
        facts |= _origin(sources[0]) | {"metrics": sources[0].provenance.get("metrics")}
    else:
        for role, source in zip(("first", "second"), sources, strict=True):
            facts |= {f"{role}.{key}": value for key, value in _origin(source).items()}
    return {key: _text(value) for key, value in facts.items() if value not in (None, {}, "")}


def modelspec(card: Mapping[str, str]) -> dict[str, str]:
    """The part of the card that has keys in ModelSpec, the standard of Stability AI for safetensors headers."""
    spec = {
        "sai_model_spec": MODELSPEC_VERSION,
        "architecture": f"{card['architecture'].lower()}-x{card['scale']}",
        "implementation": PACKAGE,
        "title": card["title"],
    }
    if "license" in card:
        spec["license"] = card["license"]
    if "alpha" in card:
        spec["merged_from"] = f"{card['first.checkpoint']}, {card['second.checkpoint']}"
    return {f"modelspec.{key}": value for key, value in spec.items()}


def _name(checkpoint: Checkpoint) -> str:
    """The name of the experiment, because every run calls its files best and last."""
    return str((checkpoint.config or {}).get("name", checkpoint.path.stem))


def _origin(checkpoint: Checkpoint) -> dict[str, Any]:
    provenance = checkpoint.provenance
    data = provenance.get("data") or {}
    return {
        "checkpoint": checkpoint.path.name,
        "dialect": checkpoint.dialect,
        "weights": checkpoint.source,
        "averaged": "yes" if "ema" in checkpoint.source else "no",
        **_recipe(checkpoint.config or {}),
        "data_files": data.get("files"),
        "data_sha256": data.get("sha256"),
        "iteration": provenance.get("iteration"),
        "epoch": provenance.get("epoch"),
        "seconds": provenance.get("seconds"),
        "trained_by": f"{PACKAGE} {provenance['version']}" if "version" in provenance else None,
        "git_revision": provenance.get("git_revision"),
    }


def _recipe(config: Mapping[str, Any]) -> dict[str, Any]:
    """The names and numbers of a run: experiment, losses with their weights, degradation."""
    model = config.get("model") or {}
    losses = {name: term["weight"] for name, term in (config.get("loss") or {}).items()}
    adversarial = model.get("gan_weight")
    return {
        "experiment": config.get("name"),
        "seed": config.get("seed"),
        "model": _class(model),
        "losses": losses if adversarial is None else losses | {"gan": adversarial},
        "gan_loss": None if adversarial is None else _class(config.get("gan_loss")),
        "degradation": config.get("degradation"),
        "data": _class(config.get("data")),
    }


def _class(description: Mapping[str, Any] | None) -> str | None:
    target = (description or {}).get("_target_")
    return None if target is None else str(target).rpartition(".")[2]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
