"""The page as text: it is whole by itself, and names cannot become markup."""

import base64
import json
import re
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from helpers import picture

from sr.evaluation.report.page import render
from sr.evaluation.report.pictures import Card, Detail, data_uri
from sr.evaluation.summary import summary
from sr.metrics.protocol import PSNR

NASTY = '<img src=x onerror="alert(1)">\'&</script>'


def card(name: str, set_name: str = "photos") -> Card:
    image = data_uri(picture(16, 16))
    pictures = {version: image for version in ("LR", "bicubic", "net", "HR")}
    values = {"net": {"psnr_y": 31.0}, "bicubic": {"psnr_y": 29.0}}
    details = [Detail(title="net is worst", pictures=pictures, psnr={"net": 20.0})]
    return Card(set_name, name, values, pictures, 16, 16, "", details)


def make_report(names: list[str], set_name: str = "photos") -> dict:
    rng = np.random.default_rng(0)
    entries = [
        {"name": name, "net": {"psnr_y": 31 + rng.random()}, "bicubic": {"psnr_y": 29 + rng.random()}}
        for name in names
    ]
    protocol = {
        "name": "esrgan_paper",
        "changed": [],
        "spaces": ["y"],
        "luma": "unrounded",
        "crop_border": 4,
        "scale": 4,
        "lr": f"/data/{NASTY}",
        "interval": "95 %",
    }
    sets = {set_name: summary(entries, models=["net", "bicubic"], draws=1)}
    quantities = {"psnr_y": asdict(PSNR)}
    return {"protocol": protocol, "models": ["net", "bicubic"], "quantities": quantities, "sets": sets}


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
    return render(make_report([NASTY, "b"], NASTY), [card(NASTY, NASTY), card("b", NASTY)])


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
    report = make_report([NASTY, "b"], NASTY)
    result = report["sets"][NASTY]
    assert f"{result['net']['psnr_y']:.2f}" in page
    low, high = result["statistics"]["differences"][0]["psnr_y"]["interval"]
    assert f"<small>{low:+.2f} to {high:+.2f}</small>" in page
    assert "protocol esrgan_paper: PSNR in dB and SSIM on y" in page
    assert "2 images give no interval of more than 50%" in page


def test_part_of_a_large_set_is_said_to_be_part() -> None:
    names = [f"image{number}" for number in range(30)]
    page = render(make_report(names), [card(name) for name in names[:5]])
    assert "the 3 worst and the 2 best of 30 images by gain in psnr_y" in page
    assert "all 2 images" in render(make_report(["a", "b"]), [card("a"), card("b")])


def test_the_curve_is_part_of_the_page(tmp_path: Path) -> None:
    report = make_report(["a", "b"])
    report["tradeoff"] = {"perception": "sharpness"}
    report["protocol"]["ckpts"] = {"first": "x", "second": "y"}
    picture_of_it = b"\x89PNG curve"
    (tmp_path / "curve.png").write_bytes(picture_of_it)
    page = render(report, [card("a")], curve=tmp_path / "curve.png")
    assert "data:image/png;base64," + base64.b64encode(picture_of_it).decode() in page
    assert "<h1>Interpolation between first and second" in page
