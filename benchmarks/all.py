"""Run every benchmark with short settings and show one table and one picture: `make bench`.

All of them together take about a quarter of an hour on two cores. Each benchmark is a process of its own, and they run
one after the other. The numbers and a description of the machine are also written to results/bench/<time>.json, and
the ratios are drawn as bars in results/bench/<time>.png. A benchmark that fails is named at the end, does not stop the
others, and makes the exit status 1. `make bench` is the same as `python benchmarks/all.py`. The single scripts have
longer settings by default, and more options: `python benchmarks/<name>.py --help`.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

from harness import ROOT, Result, number, shown_ratio

# The options of each script with which all of them together take about a quarter of an hour.
BENCHMARKS: dict[str, list[str]] = {
    "training": ["--rounds=2", "--blocks=4", "--batch=2"],
    "degradations": ["--rounds=3", "--no-stages"],
    "data_loading": ["--rounds=3"],
    "imresize": ["--rounds=5", "--sizes=3"],
    "upscale": [
        "--only=speed",
        "--rounds=2",
        "--net=rrdbnet-64-4-32",
        "--size=224",
        "--tile=auto",
        "--engine",
        "torch/fp32",
        "torch/bf16",
    ],
    "nets": ["--rounds=3"],
    "inference": ["--rounds=3", "--net", "rrdbnet-64-2-32", "srvgg-64-16", "--size=64"],
    "lightning_overhead": ["--rounds=3", "--iterations", "6", "50"],
    "safety_overhead": ["--iterations=8", "--blocks=2"],
    "scaling": ["--rounds=1", "--iterations=12"],
    "quality": [],
}
TIMEOUT = 1200  # seconds that one benchmark may take
# The range of ratios in the picture: beside the gain of a cache all other bars would be dots.
LIMITS = (0.3, 20.0)


class FailedError(RuntimeError):
    """A benchmark produced no numbers."""


def run(name: str, options: Sequence[str]) -> list[Result]:
    """The results of one benchmark, which runs in a process of its own.

    Raises:
        FailedError: the benchmark failed, took too long or wrote no results. After a failure the message has the end
            of its output.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "numbers.json"
        command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), *options, f"--json={file}"]
        try:
            done = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=TIMEOUT
            )
        except subprocess.TimeoutExpired as error:
            raise FailedError(f"took more than {TIMEOUT} s") from error
        if done.returncode:
            raise FailedError(f"status {done.returncode}\n{(done.stderr or done.stdout)[-2000:]}")
        try:
            return [Result(**each) for each in json.loads(file.read_text())]
        except (OSError, ValueError, TypeError) as error:
            raise FailedError(f"wrote no numbers in the form of benchmarks/harness.py ({error})") from error


def machine() -> dict[str, Any]:
    """The description of the machine, of the software and of the load at this moment, as it is written to JSON."""
    import torch

    from sr.callbacks.provenance import git_revision

    return {
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": 1,
        "git_revision": git_revision(ROOT),
        "load_average": os.getloadavg()[0],
    }


def cpu_name() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def table(results: Sequence[Result]) -> str:
    """All results as the lines of one text table."""
    rows = [("", "median", "lowest", "highest", "unit", "ratio")]
    for result in results:
        rows.append((result.benchmark, *[""] * 5))
        for variant, values in result.values.items():
            ratio = result.ratio(variant)
            numbers = map(number, (median(values), min(values), max(values)))
            shown = "" if ratio is None else shown_ratio(ratio)
            rows.append((f"  {variant}", *numbers, result.unit, shown))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *numbers, unit, ratio in rows:
        cells = (f"{cell:>{width}}" for cell, width in zip(numbers, widths[1:4], strict=True))
        line = f"{first:{widths[0]}}  {'  '.join(cells)}  {unit:{widths[4]}}  {ratio:>{widths[5]}}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def advantages(result: Result, variant: str) -> list[float]:
    """How many times better the variant is than the reference, by round."""
    assert result.reference is not None
    pairs = zip(result.values[variant], result.values[result.reference], strict=True)
    larger_is_better = result.unit.endswith("/s") or result.unit == "dB"
    return [mine / other if larger_is_better else other / mine for mine, other in pairs]


def draw(results: Sequence[Result], *, about: str, picture: Path) -> None:
    """Draw a bar for each variant that shows how many times better it is than its reference."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, NullLocator

    compared = [result for result in results if result.reference is not None]
    rows: list[float] = []
    labels: list[str] = []
    row = 0.0
    height = 1.4 + 0.22 * sum(len(each.values) + 0.6 for each in compared)
    figure = Figure(figsize=(9, height), layout="constrained")
    axes = figure.add_subplot()
    for result in compared:
        title = f"{result.benchmark}  (1 = {result.reference})"
        axes.text(
            0.01,
            row,
            title,
            transform=axes.get_yaxis_transform(),
            va="center",
            weight="bold",
            size=8,
            zorder=3,
        ).set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
        for variant in result.values:
            if variant == result.reference:
                continue
            row += 1
            draw_bar(axes, row, advantages(result, variant))
            rows.append(row)
            labels.append(variant)
        row += 1.6
    axes.set_xscale("log")
    axes.set_xlim(*LIMITS)
    axes.xaxis.set_major_locator(FixedLocator([0.5, 1, 2, 3, 5, 10]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
    axes.tick_params(top=True, labeltop=True)
    axes.set_yticks(rows, labels, size=8)
    axes.set_ylim(row - 0.8, -0.8)
    axes.axvline(1, color="black", linewidth=1)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.set_xlabel(
        "times better than the reference (faster, or less memory); the lines reach from the lowest\n"
        "to the highest round; an arrow marks a bar that is longer than the picture"
    )
    axes.set_title(about, size=8)
    figure.savefig(picture, dpi=110)


def draw_bar(axes: Any, row: float, rounds: Sequence[float]) -> None:
    """Draw a bar from 1 to the median of the rounds.

    The median is written behind the end of the bar, or inside it where the bar is longer than the picture.
    """
    middle, (least, most) = median(rounds), LIMITS
    better, outside = middle >= 1, middle > most
    axes.barh(row, middle - 1, left=1, height=0.7, color="tab:blue" if better else "tab:orange")
    axes.plot([min(rounds), max(rounds)], [row, row], color="black", linewidth=1)
    end = max(*rounds, 1.0) if better else max(min(*rounds, 1.0), least)
    axes.annotate(
        f"{shown_ratio(middle)} \u2192" if outside else shown_ratio(middle),
        (most if outside else end, row),
        xytext=(4 if better and not outside else -4, 0),
        textcoords="offset points",
        va="center",
        ha="left" if better and not outside else "right",
        size=8,
        color="white" if outside else "black",
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "names", nargs="*", help=f"benchmarks to run, from {', '.join(BENCHMARKS)}; default: all"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=ROOT / "results" / "bench",
        help="folder for the JSON file and the picture; default: results/bench",
    )
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"unknown benchmarks: {', '.join(unknown)}; choose from {', '.join(BENCHMARKS)}")
    names = arguments.names or list(BENCHMARKS)
    about = machine()
    results, seconds, failed = [], {}, {}
    for index, name in enumerate(names, start=1):
        print(f"[{index}/{len(names)}] {name} ...", end=" ", file=sys.stderr, flush=True)
        start = monotonic()
        try:
            results += run(name, BENCHMARKS[name])
        except FailedError as error:
            failed[name] = str(error)
        seconds[name] = round(monotonic() - start, 1)
        print(f"{seconds[name]:.0f} s{', FAILED' if name in failed else ''}", file=sys.stderr, flush=True)

    about |= {"load_average_after": os.getloadavg()[0], "seconds": seconds, "failed": failed}
    arguments.folder.mkdir(parents=True, exist_ok=True)
    stem = arguments.folder / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    numbers, picture = stem.with_suffix(".json"), stem.with_suffix(".png")
    record = {"machine": about, "results": [asdict(each) for each in results]}
    numbers.write_text(json.dumps(record, indent=1) + "\n")
    head = (
        f"{about['gpu'] or about['cpu']}, {about['cores']} cores, torch {about['torch']}, one thread,"
        f" load average {about['load_average']:.1f} before and {about['load_average_after']:.1f} after"
    )
    print(f"{head}\n\n{table(results)}\n")
    if any(each.reference is not None for each in results):
        draw(results, about=head, picture=picture)
        print(f"{os.path.relpath(numbers)}   {os.path.relpath(picture)}")
    for name, message in failed.items():
        print(f"\n{name} FAILED: {message}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
