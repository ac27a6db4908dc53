"""An evaluation as one HTML file that needs nothing beside it: no network, no other file."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sr.evaluation.breakdown import format_breakdown
from sr.evaluation.gallery import HR, LR, Gallery
from sr.evaluation.report.pictures import Card, make_cards
from sr.evaluation.tables import MOST_DIFFERENCES, is_clear, metric_names, protocol_lines
from sr.metrics.protocol import PSNR
from sr.metrics.quantity import HIGHER, LOWER, NEITHER, recorded

HERE = Path(__file__).parent


def write_report(
    report: Mapping[str, Any], gallery: Gallery, path: Path, *, images_per_set: int, curve: Path | None = None
) -> None:
    """Write the page: tables, a slider between any two versions of every image, details.

    Args:
        report: of `sr.evaluation.benchmark.benchmark`, with its "protocol".
        gallery: the images.
        path: the HTML file.
        images_per_set: of larger sets, the worst and the best.
        curve: a PNG of the distortion-perception curve, if there is one.
    """
    border = int(report["protocol"]["crop_border"])
    cards = list(make_cards(report, gallery, images_per_set=images_per_set, crop_border=border))
    path.write_text(render(report, cards, curve=curve), encoding="utf-8")


def render(report: Mapping[str, Any], cards: list[Card], *, curve: Path | None = None) -> str:
    """The page. Every name is escaped, wherever it comes from."""
    # Autoescape is what keeps names of files and models from being markup; `tojson` escapes for a script.
    page = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.globals |= {"is_clear": is_clear, "psnr": PSNR.text}
    models, quantities = report["models"], recorded(report)
    curved = "tradeoff" in report
    by_set = {name: [card for card in cards if card.set_name == name] for name in report["sets"]}
    return page.get_template("page.html").render(
        report=report,
        models=models,
        baseline=models[-1],
        metrics=metric_names(report),
        quantities=quantities,
        arrows={HIGHER: "↑", LOWER: "↓", NEITHER: ""},
        versions=[LR, models[-1], *models[:-1], HR],
        title=title(report),
        # In a sweep its two ends; else the first model beside the baseline.
        left=models[0] if curved else models[-1],
        right=models[-2] if curved else models[0],
        most_differences=MOST_DIFFERENCES,
        cards=by_set,
        protocol=protocol_lines(report),
        breakdown=format_breakdown(report),
        curve="" if curve is None else base64.b64encode(curve.read_bytes()).decode(),
        # The order of the models is said apart: `tojson` sorts keys.
        data={
            "models": models,
            "falling": [name for name, quantity in quantities.items() if quantity.better == LOWER],
            "cards": [{"pictures": card.pictures, "values": card.values} for card in _flat(by_set)],
        },
        style=Markup((HERE / "report.css").read_text(encoding="utf-8")),
        script=Markup((HERE / "report.js").read_text(encoding="utf-8")),
    )


def title(report: Mapping[str, Any]) -> str:
    """What is compared."""
    models = report["models"]
    if "tradeoff" in report:
        return f"Interpolation between {' and '.join(report['protocol']['ckpts'])}"
    return ", ".join(models[:-1]) or str(models[-1])


def _flat(by_set: Mapping[str, list[Card]]) -> list[Card]:
    return [card for of_set in by_set.values() for card in of_set]
