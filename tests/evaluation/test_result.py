"""The form of metrics.json, as docs/evaluate.md describes it."""

import json
import re
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

from helpers import ROOT

from sr.evaluation.description import ProtocolDescription
from sr.evaluation.lr_origin import SqueezedLR
from sr.evaluation.result import Evaluation, ImageResult
from sr.evaluation.summary import summarise_set
from sr.metrics.protocol import MSE, PSNR


def names(kind: Any) -> set[str]:
    """The fields of a dataclass and of every dataclass inside it."""
    if not is_dataclass(kind):
        return set().union(*map(names, get_args(kind)))
    hints = get_type_hints(kind)
    return {entry.name for entry in fields(kind)}.union(*(names(hints[entry.name]) for entry in fields(kind)))


def small() -> Evaluation:
    """Two images, of which one is perfect, and models with names that are keys elsewhere."""
    models = ["images", "bicubic"]
    images = [
        ImageResult("a", {"images": {"psnr_y": 30.0}, "bicubic": {"psnr_y": 29.0}}),
        ImageResult("b", {"images": {"psnr_y": float("inf")}, "bicubic": {"psnr_y": float("inf")}}),
    ]
    protocol = ProtocolDescription(
        name="rgb",
        changed=[],
        spaces=["rgb"],
        crop_border=4,
        definitions={},
        interval="",
        scale=4,
        lr=SqueezedLR(96),
    )
    return Evaluation(
        protocol=protocol,
        checkpoints={"images": "x.ckpt"},
        models=models,
        quantities={"psnr_y": PSNR, "mse": MSE},
        sets={"photos": summarise_set(images, models=models, draws=1)},
    )


def test_the_json_is_the_dataclasses() -> None:
    content = json.loads(json.dumps(small().content()))
    assert list(content) == ["version", *(entry.name for entry in fields(Evaluation))]
    assert content["version"] == 3
    assert content["protocol"]["lr"] == {"squeeze": 96}
    assert content["quantities"]["mse"] == {
        "better": "lower",
        "digits": ".2e",
        "unit": "",
        "title": "mean squared error",
    }
    photos = content["sets"]["photos"]
    assert photos["means"]["images"]["psnr_y"] == {"value": float("inf"), "interval": None}
    assert photos["differences"] == [{"first": "images", "second": "bicubic", "means": {"psnr_y": None}}]
    assert photos["images"][0] == {
        "name": "a",
        "values": {"images": {"psnr_y": 30.0}, "bicubic": {"psnr_y": 29.0}},
        "drawn": None,
    }


def test_the_documentation_names_every_key() -> None:
    text = (ROOT / "docs" / "evaluate.md").read_text()
    (table,) = re.findall(r"## metrics\.json\n(.*?)\n## ", text, flags=re.DOTALL)
    assert f"`version` | {small().content()['version']}" in table
    documented = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]*)`", table))))
    assert names(Evaluation) - documented == set()
