"""The page as text: it is whole by itself, and names cannot become markup."""

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from helpers import picture

from sr.evaluation.description import ProtocolDescription
from sr.evaluation.lr_origin import LRFiles
from sr.evaluation.report.charts import NAMED
from sr.evaluation.report.page import box_shape, render
from sr.evaluation.report.pictures import Card, Detail, data_uri
from sr.evaluation.result import Evaluation, ImageResult, Mean, Tradeoff, TradeoffPoint
from sr.evaluation.summary import summarise_set
from sr.metrics.protocol import PSNR

NASTY = '<img src=x onerror="alert(1)">\'&</script>'


def card(name: str, set_name: str = "photos") -> Card:
    image = data_uri(picture(16, 16))
    pictures = {version: image for version in ("LR", "bicubic", "net", "HR")}
    values = {"net": {"psnr_y": 31.0}, "bicubic": {"psnr_y": 29.0}}
    details = [Detail(title="net is worst", pictures=pictures, psnr={"net": 20.0})]
    return Card(set_name, name, values, pictures, 16, 16, "", details)


def evaluated(names: list[str], set_name: str = "photos") -> Evaluation:
    rng = np.random.default_rng(0)
    images = [
        ImageResult(name, {"net": {"psnr_y": 31 + rng.random()}, "bicubic": {"psnr_y": 29 + rng.random()}})
        for name in names
    ]
    return Evaluation(
        protocol=ProtocolDescription(
            name="esrgan_paper",
            changed=[],
            spaces=["y"],
            crop_border=4,
            definitions={"luma": "unrounded"},
            interval="95 %",
            scale=4,
            lr=LRFiles(f"/data/{NASTY}"),
        ),
        checkpoints={"net": "net.ckpt"},
        models=["net", "bicubic"],
        quantities={"psnr_y": PSNR},
        sets={set_name: summarise_set(images, models=["net", "bicubic"], draws=1)},
    )


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page() -> str:
    return render(evaluated([NASTY, "b"], NASTY), [card(NASTY, NASTY), card("b", NASTY)])


def test_names_cannot_become_markup(page: str) -> None:
    tags = Tags(page).found
    assert not [attributes for _, attributes in tags if "onerror" in attributes]
    assert [tag for tag, _ in tags].count("script") == 2
    assert "&lt;img src=x onerror=" in page
    assert "<img src=x" not in page
    articles = [attributes for tag, attributes in tags if tag == "article"]
    assert [attributes["data-name"] for attributes in articles] == [NASTY, "b"]


def test_it_needs_nothing_beside_it(page: str) -> None:
    addresses = [
        value
        for _, attributes in Tags(page).found
        for key, value in attributes.items()
        if key in ("src", "href")
    ]
    assert len(addresses) == 2 * (4 + 4)  # every version of an image once, and of its detail
    assert all(str(address).startswith("data:image/webp;base64,") for address in addresses)
    assert not re.search(r"https?://|@import|url\(", page)
    (policy,) = [
        a["content"] for tag, a in Tags(page).found if a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert str(policy).startswith("default-src 'none'")


def test_the_data_of_the_slider(page: str) -> None:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, flags=re.DOTALL)
    data = json.loads(text)
    assert data["models"] == ["net", "bicubic"]
    assert data["cards"][0]["net"] == {"psnr_y": 31.0}


def test_every_version_is_in_the_page_itself_and_two_are_shown(page: str) -> None:
    pictures = [
        attributes for tag, attributes in Tags(page).found if "data-version" in attributes and tag == "img"
    ]
    assert [each["data-version"] for each in pictures] == ["LR", "bicubic", "net", "HR"] * 2
    sides = {each["data-version"]: str(each["class"]).split() for each in pictures}
    assert sides == {"LR": ["pixels"], "bicubic": ["left"], "net": ["right"], "HR": []}
    assert not [attributes for _, attributes in Tags(page).found if "loading" in attributes]


def test_numbers_have_names_and_units_and_the_protocol_is_folded(page: str) -> None:
    assert "net: PSNR <b>31.00 dB</b>" in page
    tags = Tags(page).found
    (fold,) = [attributes for tag, attributes in tags if tag == "details"]
    assert "open" not in fold
    assert (
        page.index("<summary>") < page.index("protocol esrgan_paper: PSNR in dB") < page.index("</details>")
    )


def test_the_charts_are_those_of_the_set(page: str) -> None:
    result = evaluated([NASTY, "b"], NASTY).sets[NASTY]
    gains = sorted(each.values["net"]["psnr_y"] - each.values["bicubic"]["psnr_y"] for each in result.images)
    shown = re.findall(r'<span class="number">([+-][\d.]+)</span>', page)
    assert shown == [f"{gain:+.2f}" for gain in gains]
    tags = Tags(page).found
    assert sum(str(a.get("class")).startswith("bar ") for _, a in tags) == 2
    assert sum(a.get("class") == "dot" for _, a in tags) == 2 * 2  # images of both models


def test_many_images_have_bars_without_names() -> None:
    names = [f"image{number}" for number in range(NAMED + 1)]
    page = render(evaluated(names), [])
    tags = Tags(page).found
    assert sum(tag == "rect" for tag, _ in tags) == NAMED + 1
    assert not [a for _, a in tags if str(a.get("class")).startswith("bar ")]


def test_boxes_have_the_shape_of_the_tallest_picture() -> None:
    wide, tall = replace(card("a"), width=30, height=20), replace(card("b"), width=10, height=40)
    assert box_shape([wide]) == 1.5
    assert box_shape([wide, replace(wide, width=24)]) == pytest.approx(1.2)
    assert (box_shape([wide, tall]), box_shape([])) == (1, 1)


def test_tables_and_protocol(page: str) -> None:
    result = evaluated([NASTY, "b"], NASTY).sets[NASTY]
    assert f"{result.means['net']['psnr_y'].value:.2f}" in page
    difference = result.differences[0].means["psnr_y"]
    assert difference is not None
    assert difference.interval is not None
    low, high = difference.interval
    assert f"<small>{low:+.2f} to {high:+.2f}</small>" in page
    assert "protocol esrgan_paper: PSNR in dB and SSIM on y" in page
    assert "2 images give no interval of more than 50%" in page


def test_part_of_a_large_set_is_said_to_be_part() -> None:
    names = [f"image{number}" for number in range(30)]
    page = render(evaluated(names), [card(name) for name in names[:5]])
    assert "the 3 worst and the 2 best of 30 images by gain in PSNR" in page
    assert "all 2 images" in render(evaluated(["a", "b"]), [card("a"), card("b")])


def test_the_curve_is_part_of_the_page(tmp_path: Path) -> None:
    point = TradeoffPoint(0.0, Mean(30.0, None), Mean(0.5, None))
    interpolated = replace(
        evaluated(["a", "b"]),
        checkpoints={"first": "x", "second": "y"},
        tradeoff=Tradeoff("psnr_y", "sharpness", {"photos": [point]}),
    )
    picture_of_it = b"\x89PNG curve"
    (tmp_path / "curve.png").write_bytes(picture_of_it)
    page = render(interpolated, [card("a")], curve=tmp_path / "curve.png")
    assert "data:image/png;base64," + base64.b64encode(picture_of_it).decode() in page
    assert "<h1>Interpolation between first and second" in page


def test_a_model_may_have_the_name_of_a_version() -> None:
    hr, bicubic = {"psnr_y": 31.0}, {"psnr_y": 29.0}
    images = [ImageResult(name, {"HR": hr, "bicubic": bicubic}) for name in "ab"]
    named = replace(
        evaluated(["a", "b"]),
        models=["HR", "bicubic"],
        sets={"photos": summarise_set(images, models=["HR", "bicubic"], draws=1)},
    )
    picked = [text for text in re.findall(r"<option[^>]*>(.*?)</option>", render(named, [])) if "HR" in text]
    assert picked == ["HR (model)", "HR"] * 2 + ["gain of HR in PSNR", "PSNR of HR"]
