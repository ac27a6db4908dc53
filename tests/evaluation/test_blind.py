"""LR that are drawn: by what was drawn, with one draw of each image or several."""

import json
from pathlib import Path

import pytest
import torch
from evaluation_runs import METRICS, evaluate_into, write_checkpoint
from helpers import compose_config

from sr.degradations.record import Record
from sr.evaluation.breakdown import breakdown
from sr.evaluation.lr_origin import DrawnLR
from sr.evaluation.result import ImageResult
from sr.ops.image import to_tensor
from sr.pictures.reading import read_image
from sr.programs.evaluate import open_sets


@pytest.fixture
def ckpt(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "net.ckpt")


def test_blind_results_by_what_was_drawn(tmp_path: Path, photos: Path, ckpt: Path) -> None:
    settings = [f"ckpt={ckpt}", f"hr_dir={photos}", "degradation=realesrgan", "draws=3"]
    report = evaluate_into(tmp_path, *settings)
    written = (tmp_path / "out" / "metrics.json").read_bytes()
    evaluate_into(tmp_path, *settings)
    assert (tmp_path / "out" / "metrics.json").read_bytes() == written
    result = report.sets["photos"]
    assert [image.name for image in result.images][:4] == ["a_0", "a_1", "a_2", "b_0"]
    assert (tmp_path / "out" / "photos" / "deep" / "c_2.png").is_file()
    counts: dict[str, int] = {}
    for group in result.breakdown:
        counts[group.parameter] = counts.get(group.parameter, 0) + group.images
        assert list(group.means) == ["net", "bicubic"]
        assert list(group.means["net"]) == METRICS
    assert set(counts.values()) == {12}
    assert {"first.blur.sigma_x", "first.jpeg.quality", "last.back.resize.mode", "second.blur.kind"} <= set(
        counts
    )
    # Whoever has metrics.json can divide it again, and make the LR images.
    content = json.loads(written)["sets"]["photos"]["images"]
    assert breakdown([ImageResult(**image) for image in content], models=report.models) == result.breakdown
    last = [
        next(step for step in image["drawn"]["steps"] if step["path"] == "last.jpeg") for image in content
    ]
    coarse = [
        image.values["net"]["mse"]
        for image, jpeg in zip(result.images, last, strict=True)
        if jpeg["quality"] < 60
    ]
    (group,) = [g for g in result.breakdown if (g.parameter, g.label) == ("last.jpeg.quality", "< 60")]
    assert group.images == len(coarse)
    assert group.means["net"]["mse"] == pytest.approx(sum(coarse) / len(coarse))
    images = open_sets(compose_config(*settings, "scale=4", program="evaluate"))["photos"]
    replayed = Record.from_json(json.dumps(content[5]["drawn"])).apply(
        images[5]["hr"].permute(1, 2, 0).numpy()
    )
    assert torch.equal(to_tensor(replayed), images[5]["lr"])


def test_the_first_draw_of_each_image_is_that_of_a_run_with_one(tmp_path: Path, photos: Path) -> None:
    blind = ["ckpt=bicubic", f"hr_dir={photos}", "degradation=mild"]
    one, three = (evaluate_into(tmp_path, *blind, f"draws={draws}").sets["photos"] for draws in (1, 3))
    assert (one.originals, three.originals, len(three.images)) == (4, 4, 12)
    for alone, first in zip(one.images, three.images[::3], strict=True):
        assert (alone.values, alone.drawn) == (first.values, first.drawn)


def test_the_picture_shows_every_image_once(tmp_path: Path, photos: Path) -> None:
    evaluate_into(tmp_path, "ckpt=bicubic", f"hr_dir={photos}/deep", "degradation=mild", "draws=3")
    height, width, _ = read_image(tmp_path / "out" / "comparison.png").shape
    assert height < width / 2  # one row of LR, bicubic and HR


def test_the_table_says_what_lr_are(tmp_path: Path, photos: Path) -> None:
    blind = evaluate_into(
        tmp_path, "ckpt=bicubic", f"hr_dir={photos}", "degradation=realesrgan", "draws=2", "seed=3"
    )
    assert blind.protocol.lr.sentence(scale=4).startswith(
        "2 draws of each image with seed=3 by first (blur, resize, noise, jpeg), second (blur, resize, noise),"
        " last (back (resize, sinc), jpeg). These are not the bicubic LR of published tables"
    )
    for quiet in ([], ["degradation=bicubic"], [f"lr_dir={photos}", "scale=1", "degradation=realesrgan"]):
        report = evaluate_into(tmp_path, "ckpt=bicubic", f"hr_dir={photos}", *quiet)
        assert "published" not in report.protocol.lr.sentence(scale=4)
        assert not isinstance(report.protocol.lr, DrawnLR)
        assert report.sets["photos"].breakdown == []
        assert {image.drawn for image in report.sets["photos"].images} == {None}


def test_draws_where_nothing_is_drawn_are_refused(tmp_path: Path, photos: Path) -> None:
    places = ["ckpt=bicubic", f"hr_dir={photos}"]
    with pytest.raises(ValueError, match="draws=0 must be 1 or more"):
        evaluate_into(tmp_path, *places, "draws=0", "degradation=realesrgan")
    with pytest.raises(ValueError, match="draws=2: this degradation draws nothing"):
        evaluate_into(tmp_path, *places, "draws=2")
    with pytest.raises(ValueError, match="draws=2: LR are files"):
        evaluate_into(tmp_path, *places, "draws=2", f"lr_dir={photos}", "scale=1", "degradation=realesrgan")
    assert not (tmp_path / "out").exists()
