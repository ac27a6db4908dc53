"""What an evaluation leaves: its files, and its tables on the terminal."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sr.evaluation.breakdown import format_breakdown
from sr.evaluation.comparison import draw_comparison
from sr.evaluation.gallery import Gallery
from sr.evaluation.report.page import write_report
from sr.evaluation.tables import format_differences, format_protocol, format_table, write_csv
from sr.evaluation.tradeoff import draw_tradeoff, format_export, format_tradeoff, write_tradeoff_csv

FILES = ("metrics.json", "per_image.csv", "comparison.png", "tradeoff.png", "tradeoff.csv", "report.html")


def write_files(report: Mapping[str, Any], gallery: Gallery, directory: Path, *, report_images: int) -> None:
    """All files but the images of the models, which are there already.

    Args:
        report: of `sr.evaluation.benchmark.benchmark`, with its "protocol" and, of a sweep, its "tradeoff".
        gallery: the images.
        directory: where they go.
        report_images: of each set in the HTML report; 0 writes none.
    """
    for file in FILES:  # those of an evaluation before, of which not every kind may be written again
        (directory / file).unlink(missing_ok=True)
    (directory / "metrics.json").write_text(json.dumps(report, indent=2) + "\n")
    write_csv(report, directory / "per_image.csv")
    draw_comparison(report, gallery, directory / "comparison.png")
    curve = directory / "tradeoff.png" if "tradeoff" in report else None
    if curve is not None:
        write_tradeoff_csv(report["tradeoff"], directory / "tradeoff.csv")
        draw_tradeoff(report, curve)
    if report_images:
        write_report(report, gallery, directory / "report.html", images_per_set=report_images, curve=curve)


def as_text(report: Mapping[str, Any], directory: Path) -> str:
    """The protocol, the tables, and the files that are in the directory."""
    parts = [
        format_protocol(report),
        format_table(report),
        format_differences(report),
        format_breakdown(report),
    ]
    if "tradeoff" in report:
        parts += [format_tradeoff(report), format_export(report)]
    parts.append("\n".join(str(directory / file) for file in FILES if (directory / file).exists()))
    return "\n\n".join(part for part in parts if part)
