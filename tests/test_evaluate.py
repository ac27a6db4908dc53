"""A checkpoint to numbers and pictures."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import ROOT, compose_config, picture, run_program
from hydra.utils import instantiate
from safetensors.torch import save_file

from evaluate import evaluate, open_sets
from sr.archs.bicubic import Bicubic
from sr.archs.srvgg import SRVGGNetCompact
from sr.degradations.record import Record
from sr.evaluation.breakdown import breakdown
from sr.evaluation.tables import describe_lr, format_differences, format_protocol, format_table
from sr.evaluation.tradeoff import format_tradeoff
from sr.metrics.perceptual import PerceptualMetricError
from sr.ops.image import to_float, to_tensor
from sr.ops.resize import imresize
from sr.pictures.reading import read_image
from sr.pictures.writing import write_png

METRICS = ["psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb", "mse"]


@pytest.fixture
def ckpt(tmp_path: Path) -> Path:
    net = SRVGGNetCompact(num_feat=4, num_conv=1)
    description = {"_target_": "sr.archs.srvgg.SRVGGNetCompact", "num_feat": 4, "num_conv": 1}
    state = {f"generator_ema.{key}": value for key, value in net.state_dict().items()}
    path = tmp_path / "net.ckpt"
    torch.save({"state_dict": state, "config": {"scale": 4, "channels": 3, "generator": description}}, path)
    return path


def run(tmp_path: Path, *overrides: str) -> dict:
    cfg = compose_config(f"out_dir={tmp_path}/out", "device=cpu", *overrides, program="evaluate")
    report = evaluate(cfg)
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == report
    return report


def test_report_images_and_picture(tmp_path: Path, photos: Path, ckpt: Path) -> None:
    report = run(tmp_path, f"ckpt={ckpt}", f"hr_dir={photos}")
    assert list(report) == ["protocol", "models", "quantities", "sets"]
    assert report["protocol"]["crop_border"] == 4
    result = report["sets"]["photos"]
    assert list(result) == ["model", "bicubic", "statistics", "images"]
    assert [image["name"] for image in result["images"]] == ["a", "b", "d", "deep/c"]
    for who in ("model", "bicubic"):
        assert list(result[who]) == METRICS
        for metric in METRICS:
            values = [image[who][metric] for image in result["images"]]
            assert result[who][metric] == pytest.approx(sum(values) / 4, rel=1e-6)
    written = read_image(tmp_path / "out" / "photos" / "deep" / "c.png")
    assert written.shape == (68, 88, 3)
    comparison = read_image(tmp_path / "out" / "comparison.png")
    assert comparison.shape[1] > 800


def test_bicubic_alone_gives_what_imresize_gives(tmp_path: Path) -> None:
    write_png(tmp_path / "hr" / "a.png", picture(48, 56))
    report = run(tmp_path, "ckpt=bicubic", f"hr_dir={tmp_path}/hr")
    result = report["sets"]["hr"]
    assert list(result) == ["bicubic", "statistics", "images"]
    hr = to_float(picture(48, 56))
    lr = np.round(np.clip(imresize(hr, size=(12, 14)), 0, 1) * 255) / 255
    up = np.round(np.clip(imresize(lr, size=(48, 56)), 0, 1) * 255)[4:-4, 4:-4]
    error = np.mean((up - hr[4:-4, 4:-4] * 255) ** 2)
    assert result["bicubic"]["psnr_rgb"] == pytest.approx(10 * np.log10(255**2 / error), abs=1e-3)
    header, row = format_table(report).splitlines()
    assert header.split() == ["set", "images", "model", *METRICS]
    assert row.split()[:4] == ["hr", "1", "bicubic", f"{result['bicubic']['psnr_y']:.2f}"]
    protocol = " ".join(format_protocol(report).split())
    assert protocol.startswith("protocol validation: PSNR in dB and SSIM on y and rgb (luma: ITU-R BT.601, ")
    assert "border of 4 pixels cut" in protocol
    assert "LR: MATLAB's antialiased bicubic, x4" in protocol
    assert protocol.endswith("hr: one image, so no interval")


def test_several_sets_and_given_lr(tmp_path: Path, photos: Path) -> None:
    report = run(tmp_path, "ckpt=bicubic", "scale=2", f"hr_dirs={{one: {photos}, two: {photos}/deep}}")
    assert [len(result["images"]) for result in report["sets"].values()] == [4, 1]
    table = format_table(report).splitlines()
    assert [line.split()[0] for line in table[1:3]] == ["one", "two"]
    for name in ("a", "b", "d", "deep/c"):
        hr = read_image(photos / f"{name}.png")
        write_png(
            tmp_path / "lr" / f"{name}x2.png", np.zeros((hr.shape[0] // 2, hr.shape[1] // 2, 3), np.uint8)
        )
    dark = run(tmp_path, "ckpt=bicubic", "scale=2", f"hr_dir={photos}", f"lr_dir={tmp_path}/lr")
    assert dark["sets"]["photos"]["bicubic"]["psnr_rgb"] < 12 < report["sets"]["one"]["bicubic"]["psnr_rgb"]


def test_without_images_the_shipped_photographs_are_taken(tmp_path: Path) -> None:
    report = run(tmp_path, "ckpt=bicubic")
    assert [image["name"] for image in report["sets"]["samples"]["images"]] == ["chelsea", "coffee", "rocket"]
    assert report["sets"]["samples"]["bicubic"]["psnr_y"] == pytest.approx(29.59, abs=0.01)


def test_training_validates_on_the_images_that_evaluate_sees(photos: Path) -> None:
    shared = ["scale=4", "degradation=realesrgan"]
    evaluated = open_sets(compose_config(*shared, f"hr_dir={photos}", program="evaluate"))["photos"]
    expected = [evaluated[index] for index in range(4)]
    for run_s_own in (["seed=0", "data.num_workers=0"], ["seed=5", "data.num_workers=1"]):
        places = [
            "data=folder",
            f"data.train_dir={photos}",
            f"data.val_dir={photos}",
            "data.hr_patch_size=32",
        ]
        data = instantiate(compose_config(*shared, *places, *run_s_own).data)
        for batch, item in zip(data.val_dataloader(), expected, strict=True):
            assert batch["name"] == [item["name"]]
            assert torch.equal(batch["lr"][0], item["lr"])
            assert torch.equal(batch["hr"][0], item["hr"])


def test_blind_results_by_what_was_drawn(tmp_path: Path, photos: Path, ckpt: Path) -> None:
    settings = [f"ckpt={ckpt}", f"hr_dir={photos}", "degradation=realesrgan", "draws=3"]
    report = run(tmp_path, *settings)
    written = (tmp_path / "out" / "metrics.json").read_bytes()
    run(tmp_path, *settings)
    assert (tmp_path / "out" / "metrics.json").read_bytes() == written
    result = report["sets"]["photos"]
    assert list(result) == ["model", "bicubic", "statistics", "breakdown", "images"]
    assert [image["name"] for image in result["images"]][:4] == ["a_0", "a_1", "a_2", "b_0"]
    assert (tmp_path / "out" / "photos" / "deep" / "c_2.png").is_file()
    counts: dict[str, int] = {}
    for group in result["breakdown"]:
        counts[group["parameter"]] = counts.get(group["parameter"], 0) + group["images"]
        assert list(group) == ["parameter", "group", "images", "model", "bicubic"]
        assert list(group["model"]) == METRICS
    assert set(counts.values()) == {12}
    assert {"first.blur.sigma_x", "first.jpeg.quality", "last.back.resize.mode", "second.blur.kind"} <= set(
        counts
    )
    # Whoever has metrics.json can divide it again, and make the LR images.
    assert breakdown(result["images"], models=["model", "bicubic"]) == result["breakdown"]
    last = [
        next(step for step in image["drawn"]["steps"] if step["path"] == "last.jpeg")
        for image in result["images"]
    ]
    coarse = [image for image, jpeg in zip(result["images"], last, strict=True) if jpeg["quality"] < 60]
    (group,) = [
        g for g in result["breakdown"] if (g["parameter"], g["group"]) == ("last.jpeg.quality", "< 60")
    ]
    assert group["images"] == len(coarse)
    assert group["model"]["mse"] == pytest.approx(
        sum(image["model"]["mse"] for image in coarse) / len(coarse)
    )
    images = open_sets(compose_config(*settings, "scale=4", program="evaluate"))["photos"]
    replayed = Record.from_json(json.dumps(result["images"][5]["drawn"])).apply(
        images[5]["hr"].permute(1, 2, 0).numpy()
    )
    assert torch.equal(to_tensor(replayed), images[5]["lr"])


def test_the_first_draw_of_each_image_is_that_of_a_run_with_one(tmp_path: Path, photos: Path) -> None:
    blind = ["ckpt=bicubic", f"hr_dir={photos}", "degradation=mild"]
    one, three = (run(tmp_path, *blind, f"draws={draws}")["sets"]["photos"]["images"] for draws in (1, 3))
    assert [{**image, "name": ""} for image in one] == [{**image, "name": ""} for image in three[::3]]


def test_the_picture_shows_every_image_once(tmp_path: Path, photos: Path) -> None:
    run(tmp_path, "ckpt=bicubic", f"hr_dir={photos}/deep", "degradation=mild", "draws=3")
    height, width, _ = read_image(tmp_path / "out" / "comparison.png").shape
    assert height < width / 2  # one row of LR, bicubic and HR


def test_the_table_says_what_lr_are(tmp_path: Path, photos: Path) -> None:
    blind = run(tmp_path, "ckpt=bicubic", f"hr_dir={photos}", "degradation=realesrgan", "draws=2", "seed=3")
    assert describe_lr(blind["protocol"]).startswith(
        "2 draws of each image with seed=3 by first (blur, resize, noise, jpeg), second (blur, resize, noise),"
        " last (back (resize, sinc), jpeg). These are not the bicubic LR of published tables"
    )
    for quiet in ([], ["degradation=bicubic"], [f"lr_dir={photos}", "scale=1", "degradation=realesrgan"]):
        report = run(tmp_path, "ckpt=bicubic", f"hr_dir={photos}", *quiet)
        assert "published" not in describe_lr(report["protocol"])
        assert list(report["sets"]["photos"]) == ["bicubic", "statistics", "images"]
        assert list(report["sets"]["photos"]["images"][0]) == ["name", "bicubic"]
        assert not {"seed", "draws"} & set(report["protocol"])


def test_draws_where_nothing_is_drawn_are_refused(tmp_path: Path, photos: Path) -> None:
    places = ["ckpt=bicubic", f"hr_dir={photos}"]
    with pytest.raises(ValueError, match="draws=0 must be 1 or more"):
        run(tmp_path, *places, "draws=0", "degradation=realesrgan")
    with pytest.raises(ValueError, match="draws=2: this degradation draws nothing"):
        run(tmp_path, *places, "draws=2")
    with pytest.raises(ValueError, match="draws=2: LR are files"):
        run(tmp_path, *places, "draws=2", f"lr_dir={photos}", "scale=1", "degradation=realesrgan")
    assert not (tmp_path / "out").exists()


def test_gray_images(tmp_path: Path) -> None:
    write_png(tmp_path / "hr" / "a.png", picture(48, 48, channels=1))
    report = run(tmp_path, "ckpt=bicubic", "channels=1", f"hr_dir={tmp_path}/hr")
    assert list(report["sets"]["hr"]["bicubic"]) == ["psnr_channels", "ssim_channels", "mse"]
    assert report["protocol"]["spaces"] == ["channels"]


def test_bad_questions_are_answered_by_name(tmp_path: Path, photos: Path) -> None:
    with pytest.raises(ValueError, match="not both"):
        run(tmp_path, "ckpt=bicubic", f"hr_dir={photos}", f"hr_dirs={{a: {photos}}}")
    with pytest.raises(ValueError, match="needs hr_dir"):
        run(tmp_path, "ckpt=bicubic", f"lr_dir={photos}")
    with pytest.raises(ValueError, match=r"hr_dirs=/x: write hr_dirs=\{name: directory"):
        run(tmp_path, "ckpt=bicubic", "hr_dirs=/x")
    with pytest.raises(ValueError, match="device=abacus: choose auto, cpu, cuda"):
        run(tmp_path, "ckpt=bicubic", f"hr_dir={photos}", "device=abacus")
    done = run_program("evaluate.py", f"ckpt={tmp_path}/none.ckpt", f"out_dir={tmp_path}/out")
    assert done.returncode == 1
    assert f"error: checkpoint {tmp_path}/none.ckpt does not exist" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def two(tmp_path: Path) -> str:
    """Two nets of one architecture, the second sharper than the first: an override of ckpts."""
    net = SRVGGNetCompact(num_feat=4, num_conv=1)
    first = {key: 0.1 * value for key, value in net.state_dict().items()}
    second = {key: 0.2 * value + 0.02 for key, value in net.state_dict().items()}
    save_file(first, tmp_path / "first.safetensors")
    save_file(second, tmp_path / "second.safetensors")
    return f"ckpts={{psnr: {tmp_path}/first.safetensors, gan: {tmp_path}/second.safetensors}}"


def test_several_models_side_by_side(tmp_path: Path, photos: Path, two: str) -> None:
    report = run(tmp_path, two, f"hr_dir={photos}")
    assert report["models"] == ["psnr", "gan", "bicubic"]
    assert report["protocol"]["ckpts"]["gan"].endswith("second.safetensors")
    result = report["sets"]["photos"]
    for name in ("psnr", "gan"):
        alone = run(tmp_path, f"ckpt={report['protocol']['ckpts'][name]}", f"hr_dir={photos}")
        assert alone["sets"]["photos"]["model"] == result[name]
        shown = read_image(tmp_path / "out" / "photos" / "deep" / "c.png")
        assert np.array_equal(read_image(tmp_path / "out" / "photos" / name / "deep" / "c.png"), shown)
    pairs = {(pair["first"], pair["second"]): pair for pair in result["statistics"]["differences"]}
    assert list(pairs) == [("psnr", "gan"), ("psnr", "bicubic"), ("gan", "bicubic")]
    each = [image["psnr"]["psnr_y"] - image["gan"]["psnr_y"] for image in result["images"]]
    difference = pairs["psnr", "gan"]["psnr_y"]
    assert difference["mean"] == pytest.approx(np.mean(each))
    np.testing.assert_allclose(difference["interval"], [min(each), max(each)], atol=0.05)  # of four images
    table = format_table(report).splitlines()
    assert [line.split()[0] for line in table[1:]] == ["photos", "gan", "bicubic"]
    assert "photos: 4 images give no interval of more than 88%" in format_protocol(report)
    assert "psnr - gan" in format_differences(report)
    assert "of mse less is better" in format_differences(report)


def test_the_numbers_as_csv(tmp_path: Path, photos: Path, two: str) -> None:
    report = run(tmp_path, two, f"hr_dirs={{one: {photos}, two: {photos}/deep}}")
    with (tmp_path / "out" / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["set", "image", "model", "metric", "value"]
    assert len(rows) == (4 + 1) * 3 * len(METRICS)
    for row in rows:
        (image,) = [each for each in report["sets"][row["set"]]["images"] if each["name"] == row["image"]]
        assert float(row["value"]) == image[row["model"]][row["metric"]]


def test_a_sweep_between_two_models(tmp_path: Path, photos: Path, two: str) -> None:
    report = run(tmp_path, two, "alphas=[0,0.5,1]", f"hr_dir={photos}", "protocol=esrgan_paper")
    assert report["models"] == ["alpha=0", "alpha=0.5", "alpha=1", "bicubic"]
    curve = report["tradeoff"]
    assert (curve["distortion"], curve["perception"]) == ("psnr_y", "sharpness")
    result = report["sets"]["photos"]
    points = curve["sets"]["photos"]
    assert [point["alpha"] for point in points] == [0, 0.5, 1]
    for point in points:
        name = f"alpha={point['alpha']:g}"
        assert point["psnr_y"]["mean"] == result[name]["psnr_y"]
        assert point["sharpness"] == {
            "mean": result[name]["sharpness"],
            "interval": result["statistics"]["intervals"][name]["sharpness"],
        }
    assert points[0]["sharpness"]["mean"] < points[1]["sharpness"]["mean"] < points[2]["sharpness"]["mean"]
    ends = run(tmp_path / "ends", two, f"hr_dir={photos}", "protocol=esrgan_paper")["sets"]["photos"]
    assert [ends[name]["psnr_y"] for name in ("psnr", "gan")] == [
        points[0]["psnr_y"]["mean"],
        points[2]["psnr_y"]["mean"],
    ]
    with (tmp_path / "out" / "tradeoff.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["set"], float(row["alpha"]), row["metric"]) for row in rows[:3]] == [
        ("photos", 0, "psnr_y"),
        ("photos", 0, "sharpness"),
        ("photos", 0.5, "psnr_y"),
    ]
    assert float(rows[2]["mean"]) == points[1]["psnr_y"]["mean"]
    assert [float(rows[2]["low"]), float(rows[2]["high"])] == points[1]["psnr_y"]["interval"]
    picture_of_it = read_image(tmp_path / "out" / "tradeoff.png")
    blue = np.abs(picture_of_it.astype(int) - (0x2A, 0x6F, 0xDB)).sum(axis=2) < 12
    assert blue.sum() > 300  # the line is there
    text = format_tradeoff(report)
    assert "sharpness is no perceptual metric" in text
    assert [line.split()[0] for line in text.splitlines()[2:5]] == ["photos", "0.5", "1"]


def test_a_sweep_prints_how_to_export_one_alpha(tmp_path: Path, photos: Path, two: str) -> None:
    command = ["evaluate.py", two, "alphas=[0,0.4,1]", f"hr_dir={photos}/deep", f"out_dir={tmp_path}/out"]
    done = run_program(*command)
    assert done.returncode == 0, done.stderr
    assert (
        f"python -m sr.export --ckpt {tmp_path}/first.safetensors --interpolate-with {tmp_path}/second.safetensors"
        " --alpha 0.4 --format safetensors --out FILE\n"
    ) in done.stdout
    assert "protocol validation: PSNR in dB" in done.stdout
    for file in (
        "metrics.json",
        "per_image.csv",
        "comparison.png",
        "tradeoff.png",
        "tradeoff.csv",
        "report.html",
    ):
        assert f"{tmp_path}/out/{file}" in done.stdout
        assert (tmp_path / "out" / file).stat().st_size


def test_which_models_is_asked_once(tmp_path: Path, photos: Path, two: str) -> None:
    for given in ([], ["ckpt=bicubic", two]):
        with pytest.raises(ValueError, match=r"give either ckpt=FILE \(or ckpt=bicubic\) or 'ckpts="):
            run(tmp_path, *given, f"hr_dir={photos}")
    for given in ("ckpts=net.pth", "ckpts={}"):
        with pytest.raises(ValueError, match=r"write ckpts=\{name: file, ...\}"):
            run(tmp_path, given, f"hr_dir={photos}")
    assert not (tmp_path / "out").exists()


def test_perceptual_metrics_are_for_colour_and_need_torchvision(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(PerceptualMetricError, match=r"perceptual=\['lpips'\] needs torchvision"):
        run(tmp_path, "ckpt=bicubic", "perceptual=[lpips]", f"hr_dir={photos}")
    with pytest.raises(ValueError, match="needs RGB images, got 1 channels"):
        run(tmp_path, "ckpt=bicubic", "perceptual=[lpips]", "channels=1", f"hr_dir={photos}")


class Distance(torch.nn.Module):
    """In the place of LPIPS, whose weights would be a download."""

    def forward(self, a: torch.Tensor, b: torch.Tensor, normalize: bool = False) -> torch.Tensor:
        return (a - b).abs().mean(dim=(1, 2, 3))


def test_a_sweep_is_drawn_against_lpips_where_it_is_asked_for(
    tmp_path: Path, two: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sr.metrics.perceptual._need_torchvision", lambda names: None)
    monkeypatch.setattr("sr.metrics.perceptual._load", lambda name: Distance())
    for number in range(2):
        write_png(tmp_path / "hr" / f"{number}.png", picture(80, 88, seed=number))
    report = run(tmp_path, two, "alphas=[0,1]", "perceptual=[lpips]", f"hr_dir={tmp_path}/hr")
    assert list(report["sets"]["hr"]["alpha=0"]) == [*METRICS, "lpips"]
    assert report["tradeoff"]["perception"] == "lpips"
    assert "less is better" in report["protocol"]["lpips"]
    assert "of mse, lpips less is better" in format_differences(report)
    assert "lpips: Zhang et al. 2018" in format_protocol(report)
    assert "no perceptual metric" not in format_tradeoff(report)
    assert "lpips \u2193" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    write_png(tmp_path / "hr" / "2.png", picture(64, 88))
    with pytest.raises(ValueError, match="2: 88 x 64 pixels; the metric needs 72 on each side"):
        run(tmp_path, two, "perceptual=[lpips]", f"hr_dir={tmp_path}/hr")


def test_files_of_an_evaluation_before_do_not_stay(tmp_path: Path, photos: Path, two: str) -> None:
    run(tmp_path, two, "alphas=[0,1]", f"hr_dir={photos}/deep")
    run(tmp_path, two, f"hr_dir={photos}/deep", "report_images=0")
    assert not {"tradeoff.png", "tradeoff.csv", "report.html"} & {
        file.name for file in (tmp_path / "out").iterdir()
    }


def test_no_report_is_written_where_none_is_wanted(tmp_path: Path, photos: Path) -> None:
    run(tmp_path, "ckpt=bicubic", f"hr_dir={photos}", "report_images=0")
    assert not (tmp_path / "out" / "report.html").exists()


def test_another_scale_than_the_checkpoint_s_is_refused(tmp_path: Path, photos: Path, ckpt: Path) -> None:
    with pytest.raises(ValueError, match=r"scale=2, but .*net\.ckpt enlarges by 4"):
        run(tmp_path, f"ckpt={ckpt}", "scale=2", f"hr_dir={photos}")


def test_a_broken_image_shows_before_anything_is_written(tmp_path: Path, photos: Path) -> None:
    (photos / "z.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"z\.png: the file is empty"):
        run(tmp_path, "ckpt=bicubic", f"hr_dir={photos}")
    assert not (tmp_path / "out").exists()


def test_nothing_is_left_where_it_is_run(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    program = str(ROOT / "evaluate.py")
    done = run_program(
        program, "ckpt=bicubic", f"hr_dir={photos}", f"out_dir={tmp_path}/o", cwd=tmp_path / "elsewhere"
    )
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_baseline_net_is_imresize() -> None:
    lr = to_float(picture(9, 7))
    net = Bicubic(scale=3)(to_tensor(lr)[None])[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(net, imresize(lr, size=(27, 21)), atol=1e-5)
