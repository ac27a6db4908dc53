"""The output of an evaluation: its files, and its tables on the terminal."""

import json
from collections.abc import Sequence
from pathlib import Path

from sr.evaluation.breakdown_table import format_breakdown
from sr.evaluation.comparison import draw_comparison
from sr.evaluation.gallery import Gallery
from sr.evaluation.report.page import write_report
from sr.evaluation.result import Evaluation
from sr.evaluation.tables import format_differences, format_protocol, format_table, write_csv
from sr.evaluation.tradeoff import draw_tradeoff, format_export, format_tradeoff, write_tradeoff_csv

FILES = ("metrics.json", "per_image.csv", "comparison.png", "tradeoff.png", "tradeoff.csv", "report.html")


def write_files(evaluation: Evaluation, gallery: Gallery, directory: Path, *, report_images: int) -> None:
    """Write all files but the images of the models, which are there already.

    Args:
        evaluation: the result.
        gallery: the images.
        directory: the directory of the files.
        report_images: the number of images of each set in the HTML report; 0 writes no report.
    """
    for file in FILES:  # left by an earlier evaluation; this one may not write every kind
        (directory / file).unlink(missing_ok=True)
    (directory / "metrics.json").write_text(json.dumps(evaluation.content(), indent=2) + "\n")
    write_csv(evaluation, directory / "per_image.csv")
    draw_comparison(evaluation, gallery, directory / "comparison.png")
    curve = None
    if evaluation.tradeoff is not None:
        curve = directory / "tradeoff.png"
        write_tradeoff_csv(evaluation.tradeoff, directory / "tradeoff.csv")
        draw_tradeoff(evaluation.tradeoff, evaluation.quantities, curve)
    if report_images:
        write_report(
            evaluation, gallery, directory / "report.html", images_per_set=report_images, curve=curve
        )


def as_text(evaluation: Evaluation, directory: Path, *, trust: Sequence[str] = ()) -> str:
    """The protocol, the tables, and the paths of the files in the directory.

    Args:
        evaluation: the result.
        directory: the directory of its files.
        trust: packages whose nets the checkpoints name, for the command that exports one.
    """
    parts = [
        format_protocol(evaluation),
        format_table(evaluation),
        format_differences(evaluation),
        format_breakdown(evaluation),
    ]
    if evaluation.tradeoff is not None:
        parts += [
            format_tradeoff(evaluation.tradeoff, evaluation.quantities),
            format_export(evaluation.tradeoff, evaluation.checkpoints, trust=trust),
        ]
    parts.append("\n".join(str(directory / file) for file in FILES if (directory / file).exists()))
    return "\n\n".join(part for part in parts if part)
