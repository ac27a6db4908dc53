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
from sr.evaluation.report.page import render
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
    assert len(addresses) == 2 * 4
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
    assert [sorted(each["pictures"]) for each in data["cards"]] == [
        sorted(["LR", "bicubic", "net", "HR"])
    ] * 2
    assert data["cards"][0]["values"]["net"] == {"psnr_y": 31.0}


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
    assert "the 3 worst and the 2 best of 30 images by gain in psnr_y" in page
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
    assert picked == ["HR (model)", "HR"] * 2 + ["gain of HR in psnr_y", "psnr_y of HR"]
