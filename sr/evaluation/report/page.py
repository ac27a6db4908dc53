"""An evaluation as one HTML file that needs no other file and no network."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from tqdm import tqdm

from sr.evaluation.breakdown_table import format_breakdown
from sr.evaluation.gallery import Gallery
from sr.evaluation.report.charts import charts
from sr.evaluation.report.pictures import Card, make_cards
from sr.evaluation.result import Evaluation
from sr.evaluation.tables import MOST_DIFFERENCES, is_clear, protocol_lines
from sr.evaluation.versions import HR, LR, label
from sr.metrics.protocol import PSNR
from sr.metrics.quantity import HIGHER, LOWER, NEITHER

HERE = Path(__file__).parent
CHARTED = 2  # metrics that have charts


def write_report(
    evaluation: Evaluation,
    gallery: Gallery,
    path: Path,
    *,
    images_per_set: int,
    curve: Path | None = None,
) -> None:
    """Write the page: tables, a slider between any two versions of every image, details.

    Args:
        evaluation: the result.
        gallery: the images.
        path: the HTML file.
        images_per_set: the largest number of images of one set; of larger sets the worst and the best are taken.
        curve: a PNG of the distortion-perception curve, if there is one.
    """
    border = evaluation.protocol.crop_border
    total = sum(min(images_per_set, len(result.images)) for result in evaluation.sets.values())
    made = make_cards(evaluation, gallery, images_per_set=images_per_set, crop_border=border)
    cards = list(tqdm(made, total=total, unit="image", desc="report", leave=False, disable=None))
    path.write_text(render(evaluation, cards, curve=curve), encoding="utf-8")


def render(evaluation: Evaluation, cards: list[Card], *, curve: Path | None = None) -> str:
    """The page as text. Every name in it is escaped, wherever it comes from."""
    # Autoescape keeps names of files and models from becoming markup; `tojson` escapes for a script.
    page = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.globals |= {"is_clear": is_clear, "psnr": PSNR.text}
    models, quantities = evaluation.models, evaluation.quantities
    labels = [label(model) for model in models]
    curved = evaluation.tradeoff is not None
    by_set = {name: [card for card in cards if card.set_name == name] for name in evaluation.sets}
    return page.get_template("page.html").render(
        evaluation=evaluation,
        models=models,
        baseline=models[-1],
        metrics=evaluation.metrics,
        quantities=quantities,
        arrows={HIGHER: "↑", LOWER: "↓", NEITHER: ""},
        versions=[LR, labels[-1], *labels[:-1], HR],
        title=title(evaluation),
        # The two ends of an interpolation; otherwise the baseline and the first model.
        left=labels[0] if curved else labels[-1],
        right=labels[-2] if curved else labels[0],
        most_differences=MOST_DIFFERENCES,
        charts={
            name: charts(result.images, quantities=quantities, models=models, most=CHARTED)
            for name, result in evaluation.sets.items()
        },
        cards=by_set,
        boxes={name: box_shape(of_set) for name, of_set in by_set.items()},
        protocol=protocol_lines(evaluation),
        breakdown=format_breakdown(evaluation),
        curve="" if curve is None else base64.b64encode(curve.read_bytes()).decode(),
        # The order of the models has a key of its own, since `tojson` sorts keys.
        data={
            "models": models,
            "falling": [name for name, quantity in quantities.items() if quantity.better == LOWER],
            "cards": [card.values for card in _flat(by_set)],
        },
        style=Markup((HERE / "report.css").read_text(encoding="utf-8")),
        script=Markup((HERE / "report.js").read_text(encoding="utf-8")),
    )


def title(evaluation: Evaluation) -> str:
    """The names of what is compared."""
    if evaluation.tradeoff is not None:
        return f"Interpolation between {' and '.join(evaluation.checkpoints)}"
    return ", ".join(evaluation.models[:-1]) or evaluation.models[-1]


def box_shape(cards: Sequence[Card]) -> float:
    """Width by height of the boxes that hold the pictures of a set, so that its cards are equally high.

    A box has the shape of the tallest picture, but is not higher than wide.
    """
    return max(1.0, min((card.width / card.height for card in cards), default=1.0))


def _flat(by_set: Mapping[str, list[Card]]) -> list[Card]:
    return [card for of_set in by_set.values() for card in of_set]
