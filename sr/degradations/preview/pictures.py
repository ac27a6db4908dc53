"""The pictures of a preview: a contact sheet of samples, and histograms of what is drawn."""

import json
import math
import re
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image, ImageDraw, ImageFont

from sr.degradations.blur import Blur, Sinc
from sr.degradations.compression import Jpeg, Webp
from sr.degradations.noise import GaussianNoise, PoissonNoise
from sr.degradations.preview.samples import Sample, in_chain_order
from sr.degradations.record import Record
from sr.degradations.resize import MatlabBicubic, Resize
from sr.degradations.step import Step
from sr.degradations.transform import Transform
from sr.ops.image import to_tensor, viewable

SIDE = 256  # pixels; smaller patches are enlarged to about as many, and a cell has room for two
COLUMNS = 4  # of the sheet
PANELS = 5  # in a row of histograms
BINS = 30
ATOM_SHARE = (
    0.03  # a number of a continuous range that is drawn more often than this share is named instead of drawn
)
GAP, SPACE = 4, 20  # between HR and LR, and around a cell
FONT_SIZE, LINE = 15, 19
HARD = "\N{NO-BREAK SPACE}"
INK, PAPER, BAR, ATOM = "#1a1a1a", "#ffffff", "#9ec5e8", "#b03a2e"
LEGEND = (
    "left HR, right LR enlarged by nearest neighbour; (x, y) of the patch. blur: standard deviation in pixels;"
    " resize: fraction of HR; gaussian: levels of 255; poisson: 1 is shot noise; jpeg, webp: quality"
)


def draw_sheet(samples: Sequence[Sample], *, scale: int) -> np.ndarray:
    """Draw samples in rows of four, pixel by pixel, with their draws beneath: (H, W, 3) uint8."""
    patch = samples[0].hr.shape[0]
    zoom = max(1, SIDE // patch)
    side, width = zoom * patch, GAP + 2 * max(zoom * patch, SIDE)
    plain, bold = _font("DejaVuSansMono.ttf"), _font("DejaVuSansMono-Bold.ttf")
    letters = int(width / plain.getlength("0")) - 1
    captions = [caption(sample.recorded.record, width=letters) for sample in samples]
    height = side + LINE * (1 + max(len(lines) for lines in captions)) + SPACE
    columns = min(COLUMNS, len(samples))
    legend = textwrap.wrap(LEGEND, columns * letters)
    head = SPACE + LINE * len(legend)
    rows = math.ceil(len(samples) / columns)
    sheet = Image.new("RGB", (SPACE + columns * (width + SPACE), head + rows * height), PAPER)
    pen = ImageDraw.Draw(sheet)
    _write(pen, legend, place=(SPACE, SPACE // 2), font=plain)
    for number, (sample, lines) in enumerate(zip(samples, captions, strict=True)):
        x, y = SPACE + number % columns * (width + SPACE), head + number // columns * height
        sheet.paste(_enlarged(sample.hr, zoom), (x, y))
        sheet.paste(_enlarged(sample.lr, zoom * scale), (x + side + GAP, y))
        title = f"#{number} ({sample.recorded.left}, {sample.recorded.top}) {sample.recorded.file}"
        _write(pen, [_shortened(title, letters)], place=(x, y + side + 2), font=bold)
        _write(pen, lines, place=(x, y + side + 2 + LINE), font=plain)
    return np.asarray(sheet)


def caption(record: Record, *, width: int) -> list[str]:
    """The steps in order, the steps of a group after its name, in lines of at most `width` letters."""
    lines = []
    for group, paths in groupby(record.steps, key=lambda path: path.split(".")[0]):
        items = [describe(record.steps[path]) for path in paths]
        name = f"{group}: " if len(items) > 1 else ""
        # Lines are broken between steps, or after a comma in a long one: a hard space is no place to break.
        items = [re.sub(" " if len(item) < width / 2 else "(?<!,) ", HARD, item) for item in items]
        lines += textwrap.wrap(name + "; ".join(items), width, subsequent_indent="  ")
    return [line.replace(HARD, " ") for line in lines]


def describe(step: Step) -> str:
    """A step in a few words; one that is not ours by its name and its parameters."""
    match step:
        case Blur():
            across = "" if step.sigma_y is None else f" x {step.sigma_y:.2f}"
            turned = "" if step.rotation is None else f" {math.degrees(step.rotation):.0f}°"
            shape = f"{step.sigma_x:.2f}{across} px{turned}"
            beta = "" if step.beta is None else f", beta {step.beta:.2f}"
            return f"blur {step.family.replace('_', ' ')} {shape}{beta}, {step.size} taps"
        case Sinc():
            return f"sinc {step.cutoff / math.pi:.2f} pi, {step.size} taps"
        case Resize():
            return f"resize {step.fraction:.3f} {step.mode}"
        case MatlabBicubic():
            return f"MATLAB bicubic 1/{step.scale}"
        case GaussianNoise():
            return f"gaussian {step.sigma:.1f} {step.color}"
        case PoissonNoise():
            return f"poisson {step.strength:.2f} {step.color}"
        case Jpeg():
            return f"jpeg {step.quality}{'' if step.subsampling == '4:2:0' else f' {step.subsampling}'}"
        case Webp():
            return f"webp {step.quality}"
        case Transform():
            transforms = json.loads(step.description)["transform"]["transforms"]
            # The transform itself decides whether it happens, when it is applied.
            return ", ".join(f"{entry['__class_fullname__']} (p {entry['p']:g})" for entry in transforms)
        case _:
            drawn = {name: value for name, value in vars(step).items() if name != "seed"}
            return " ".join(
                [type(step).__name__, ", ".join(f"{name} {value}" for name, value in drawn.items())]
            )


def draw_histograms(records: Sequence[Record], path: Path) -> None:
    """One panel for the share of records with each step, then one for every parameter that is not always the same."""
    parameters: dict[str, list[float | str]] = {}
    for record in records:
        for name, value in record.parameters().items():
            parameters.setdefault(name, []).append(value)
    order = in_chain_order(records)
    drawn = [name for name, values in parameters.items() if len(set(values)) > 1]
    drawn.sort(key=lambda name: (order.index(name.rpartition(".")[0]), -len(parameters[name])))
    rows = math.ceil((1 + len(drawn)) / PANELS)
    figure = Figure(figsize=(3 * PANELS, 2 * rows))
    # Not by a layout engine, which takes seconds for so many panels.
    figure.subplots_adjust(0.01, 0.15 / rows, 0.99, 1 - 0.15 / rows, wspace=0.06, hspace=0.42)
    panels = figure.subplots(rows, PANELS, squeeze=False).flatten()
    steps = Counter(stage for record in records for stage in record.steps)
    _draw_bars(panels[0], {stage: steps[stage] / len(records) for stage in order})
    panels[0].set_title(f"steps, and their share of {len(records)} draws", fontsize=9)
    for axes, name in zip(panels[1:], drawn, strict=False):
        values = parameters[name]
        draw_values(axes, values)
        axes.set_title(f"{name}  (in {len(values) / len(records):.0%})", fontsize=9)
    for axes in panels[1 + len(drawn) :]:
        axes.set_axis_off()
    figure.savefig(path, dpi=100)


def draw_values(axes: Axes, values: Sequence[float | str]) -> None:
    """Words as bars, numbers as a histogram; a number that stands out of a continuous range is written above it."""
    words = Counter(value for value in values if isinstance(value, str))
    if words:
        _draw_bars(axes, {word: count / len(values) for word, count in words.most_common()})
        return
    numbers = np.array(values)
    bins = min(BINS, math.isqrt(len(values)))  # fewer values in more bins would show only noise
    if numbers.dtype.kind == "i":
        # The width of a bar is a multiple of the distance between numbers, so that every bar holds as many of them.
        found = np.unique(numbers)
        apart = np.diff(found).min()
        wide = apart * math.ceil(len(found) / bins)
        edges = np.arange(found[0] - apart / 2, found[-1] + wide, wide)
        axes.hist(numbers, bins=edges.tolist(), color=BAR, edgecolor=PAPER)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        # A number such as the factor 1, which keeps an image as it is, would hide all the others.
        single = [(value, n / len(numbers)) for value, n in Counter(numbers.tolist()).items()]
        atoms = {value: share for value, share in single if share > ATOM_SHARE}
        axes.hist(numbers[~np.isin(numbers, list(atoms))], bins=bins, color=BAR, edgecolor=PAPER)
        text = "\n".join(f"+ {value:.3g} in {share:.0%}" for value, share in atoms.items())
        axes.text(0.98, 0.95, text, transform=axes.transAxes, ha="right", va="top", color=ATOM, fontsize=9)
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])  # room for the line above
    axes.set_yticks([])
    axes.tick_params(labelsize=8)
    axes.spines[["left", "top", "right"]].set_visible(False)


def _draw_bars(axes: Axes, shares: Mapping[str, float]) -> None:
    """Draw horizontal bars, with the name and the share of each written over it."""
    axes.barh(range(len(shares)), list(shares.values()), color=BAR)
    for place, (name, share) in enumerate(shares.items()):
        axes.text(0.01, place, f"{name}  {share:.0%}", va="center", fontsize=8, color=INK)
    axes.set_xlim(0, 1)
    axes.set_ylim(max(len(shares), 6) - 0.5, -0.5)  # the first is on top; few bars are not thicker than six
    axes.set_axis_off()


def _enlarged(image: np.ndarray, factor: int) -> Image.Image:
    """Every pixel of (H, W, C) float32 as a square."""
    return Image.fromarray(viewable(to_tensor(image)).repeat(factor, axis=0).repeat(factor, axis=1))


def _font(file: str) -> ImageFont.FreeTypeFont:
    # matplotlib ships this font, so every machine has it.
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / file, FONT_SIZE)


def _write(
    pen: ImageDraw.ImageDraw, lines: Sequence[str], *, place: tuple[int, int], font: ImageFont.FreeTypeFont
) -> None:
    for number, line in enumerate(lines):
        pen.text((place[0], place[1] + number * LINE), line, INK, font)


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
