"""What the files of the nets in the package say of them, for people.

Beside the keys of `sr.export.card`, the card of such a net has `name`, `description`, `recipe` (the experiment that
makes it), `changed` (the values of its run that are not those of the recipe, if any), and `measured`: `protocol`, `lr`
(where LR came from), and `sets`, each with the number of its `images` and the means of `net` and of `bicubic` by
metric, in JSON.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sr.ops.text_table import aligned, markdown
from sr.zoo.shipped import net_names, read_card, shipped_file

BASELINE = "bicubic"
# Keys that are shown in sentences or tables of their own, or that repeat others for other tools.
SHOWN = ("changed", "description", "measured", "name", "recipe", "title")
REPEATED = ("modelspec.", "sr_")


def listing() -> str:
    """The nets in the package, one line each; a sentence where there is none. What a card lacks is left empty."""
    names = net_names()
    if not names:
        return "this package holds no net"
    rows = [("net", "scale", "size", "licence", "PSNR on Y, dB", "bicubic", "what it does")]
    for name in names:
        card = read_card(name)
        size = f"{shipped_file(name).stat().st_size / 1000:.0f} KB"
        gains = ("", "")
        if "measured" in card:
            found = next(iter(measured(card)["sets"].values()))
            gains = (f"{found['net']['psnr_y']:.2f}", f"{found[BASELINE]['psnr_y']:.2f}")
        scale, license, description = (card.get(key, "") for key in ("scale", "license", "description"))
        rows.append((name, f"x{scale}", size, license, *gains, description))
    lines = aligned(rows, left=(0, 3, 6))
    return "\n".join([*lines, "measured on the photographs inside scikit-image; docs/zoo.md has more"])


def measured(card: Mapping[str, str]) -> dict[str, Any]:
    """What was measured of a net."""
    found: dict[str, Any] = json.loads(card["measured"])
    return found


def page(card: Mapping[str, str]) -> str:
    """The card as a page in Markdown."""
    return "\n".join([*_page(card), ""])


def numbers(card: Mapping[str, str]) -> list[tuple[str, ...]]:
    """The rows of a table: name, set and number of images, then PSNR and SSIM of the net and of bicubic."""
    return [
        (card["name"], f"{name} ({found['images']})", _pair(found["net"]), _pair(found[BASELINE]))
        for name, found in measured(card)["sets"].items()
    ]


def _page(card: Mapping[str, str]) -> Iterator[str]:
    found = measured(card)
    yield f"# {card['name']}"
    yield ""
    yield card["description"]
    yield ""
    yield from markdown([("net", "images", "PSNR / SSIM", BASELINE), *numbers(card)])
    yield ""
    yield f"Protocol `{found['protocol']}`. LR: {found['lr']}"
    yield ""
    yield f"Made by `python train.py experiment={card['recipe']}` in {float(card['seconds']):,.0f} seconds."
    changed = json.loads(card.get("changed", "[]"))
    if changed:
        yield "Other than the recipe, its run had:"
        yield ""
        yield from (f"- `{each}`" for each in changed)
    yield ""
    rest = sorted(key for key in card if key not in SHOWN and not key.startswith(REPEATED))
    yield from markdown([("key", "value"), *((key, card[key]) for key in rest)])


def _pair(values: Mapping[str, float]) -> str:
    return f"{values['psnr_y']:.2f} / {values['ssim_y']:.4f}"
