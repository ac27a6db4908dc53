"""A checkpoint to numbers and pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from evaluation_runs import METRICS, evaluate_into, write_checkpoint, write_two_nets
from helpers import compose_config, picture, run_here
from hydra.utils import instantiate

from sr.archs.bicubic import Bicubic
from sr.evaluation.tables import format_protocol, format_table
from sr.ops.image import to_float, to_tensor
from sr.ops.resize import imresize
from sr.pictures.reading import read_image
from sr.pictures.writing import write_png
from sr.programs.evaluate import open_sets


@pytest.fixture
def ckpt(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "net.ckpt")


@pytest.fixture
def two(tmp_path: Path) -> str:
    return write_two_nets(tmp_path)


def test_report_images_and_picture(tmp_path: Path, photos: Path, ckpt: Path) -> None:
    report = evaluate_into(tmp_path, f"ckpt={ckpt}", f"hr_dir={photos}")
    assert report.protocol.crop_border == 4
    assert report.checkpoints == {"net": str(ckpt)}
    assert report.metrics == METRICS
    result = report.sets["photos"]
    assert list(result.means) == report.models == ["net", "bicubic"]
    assert (result.originals, result.breakdown, report.tradeoff) == (4, [], None)
    assert [image.name for image in result.images] == ["a", "b", "d", "deep/c"]
    for model in report.models:
        assert list(result.means[model]) == METRICS
        for metric in METRICS:
            values = [image.values[model][metric] for image in result.images]
            assert result.means[model][metric].value == pytest.approx(sum(values) / 4, rel=1e-6)
    written = read_image(tmp_path / "out" / "photos" / "deep" / "c.png")
    assert written.shape == (68, 88, 3)
    comparison = read_image(tmp_path / "out" / "comparison.png")
    assert comparison.shape[1] > 800


def test_bicubic_alone_gives_what_imresize_gives(tmp_path: Path) -> None:
    write_png(tmp_path / "hr" / "a.png", picture(48, 56))
    report = evaluate_into(tmp_path, "ckpt=bicubic", f"hr_dir={tmp_path}/hr")
    assert report.models == ["bicubic"]
    assert report.checkpoints == {}
    found = report.sets["hr"].means["bicubic"]
    hr = to_float(picture(48, 56))
    lr = np.round(np.clip(imresize(hr, size=(12, 14)), 0, 1) * 255) / 255
    up = np.round(np.clip(imresize(lr, size=(48, 56)), 0, 1) * 255)[4:-4, 4:-4]
    error = np.mean((up - hr[4:-4, 4:-4] * 255) ** 2)
    assert found["psnr_rgb"].value == pytest.approx(10 * np.log10(255**2 / error), abs=1e-3)
    header, row = format_table(report).splitlines()
    assert header.split() == ["set", "images", "model", *METRICS]
    assert row.split()[:4] == ["hr", "1", "bicubic", f"{found['psnr_y'].value:.2f}"]
    protocol = " ".join(format_protocol(report).split())
    assert protocol.startswith("protocol validation: PSNR in dB and SSIM on y and rgb (luma: ITU-R BT.601, ")
    assert "border of 4 pixels cut" in protocol
    assert "LR: MATLAB's antialiased bicubic, x4" in protocol
    assert protocol.endswith("hr: one image, so no interval")


def test_several_sets_and_given_lr(tmp_path: Path, photos: Path) -> None:
    report = evaluate_into(
        tmp_path, "ckpt=bicubic", "scale=2", f"hr_dirs={{one: {photos}, two: {photos}/deep}}"
    )
    assert [len(result.images) for result in report.sets.values()] == [4, 1]
    table = format_table(report).splitlines()
    assert [line.split()[0] for line in table[1:3]] == ["one", "two"]
    for name in ("a", "b", "d", "deep/c"):
        hr = read_image(photos / f"{name}.png")
        write_png(
            tmp_path / "lr" / f"{name}x2.png", np.zeros((hr.shape[0] // 2, hr.shape[1] // 2, 3), np.uint8)
        )
    dark = evaluate_into(tmp_path, "ckpt=bicubic", "scale=2", f"hr_dir={photos}", f"lr_dir={tmp_path}/lr")
    levels = [each.means["bicubic"]["psnr_rgb"].value for each in (dark.sets["photos"], report.sets["one"])]
    assert levels[0] < 12 < levels[1]


def test_without_images_the_shipped_photographs_are_taken(tmp_path: Path) -> None:
    report = evaluate_into(tmp_path, "ckpt=bicubic")
    result = report.sets["samples"]
    assert [image.name for image in result.images] == ["chelsea", "coffee", "rocket"]
    assert result.means["bicubic"]["psnr_y"].value == pytest.approx(29.59, abs=0.01)


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


def test_gray_images(tmp_path: Path) -> None:
    write_png(tmp_path / "hr" / "a.png", picture(48, 48, channels=1))
    report = evaluate_into(tmp_path, "ckpt=bicubic", "channels=1", f"hr_dir={tmp_path}/hr")
    assert report.metrics == ["psnr_channels", "ssim_channels", "mse"]
    assert report.protocol.spaces == ["channels"]


def test_bad_questions_are_answered_by_name(tmp_path: Path, photos: Path) -> None:
    with pytest.raises(ValueError, match="not both"):
        evaluate_into(tmp_path, "ckpt=bicubic", f"hr_dir={photos}", f"hr_dirs={{a: {photos}}}")
    with pytest.raises(ValueError, match="needs hr_dir"):
        evaluate_into(tmp_path, "ckpt=bicubic", f"lr_dir={photos}")
    with pytest.raises(ValueError, match=r"hr_dirs=/x: write hr_dirs=\{name: directory"):
        evaluate_into(tmp_path, "ckpt=bicubic", "hr_dirs=/x")
    with pytest.raises(ValueError, match="device=abacus: choose auto, cpu, cuda"):
        evaluate_into(tmp_path, "ckpt=bicubic", f"hr_dir={photos}", "device=abacus")
    done = run_here("evaluate.py", f"ckpt={tmp_path}/none.ckpt", f"out_dir={tmp_path}/out")
    assert done.returncode == 1
    assert f"error: checkpoint {tmp_path}/none.ckpt does not exist" in done.stderr
    assert "Traceback" not in done.stderr


def test_which_models_is_asked_once(tmp_path: Path, photos: Path, two: str) -> None:
    for given in ([], ["ckpt=bicubic", two]):
        with pytest.raises(ValueError, match=r"give either ckpt=FILE \(or ckpt=bicubic\) or 'ckpts="):
            evaluate_into(tmp_path, *given, f"hr_dir={photos}")
    for given in ("ckpts=net.pth", "ckpts={}"):
        with pytest.raises(ValueError, match=r"write ckpts=\{name: file, ...\}"):
            evaluate_into(tmp_path, given, f"hr_dir={photos}")
    assert not (tmp_path / "out").exists()


def test_no_report_is_written_where_none_is_wanted(tmp_path: Path, photos: Path) -> None:
    evaluate_into(tmp_path, "ckpt=bicubic", f"hr_dir={photos}", "report_images=0")
    assert not (tmp_path / "out" / "report.html").exists()


def test_another_scale_than_the_checkpoint_s_is_refused(tmp_path: Path, photos: Path, ckpt: Path) -> None:
    with pytest.raises(ValueError, match=r"scale=2, but .*net\.ckpt enlarges by 4"):
        evaluate_into(tmp_path, f"ckpt={ckpt}", "scale=2", f"hr_dir={photos}")


def test_a_broken_image_shows_before_anything_is_written(tmp_path: Path, photos: Path) -> None:
    (photos / "z.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"z\.png: the file is empty"):
        evaluate_into(tmp_path, "ckpt=bicubic", f"hr_dir={photos}")
    assert not (tmp_path / "out").exists()


def test_nothing_is_left_where_it_is_run(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    done = run_here("evaluate.py", "ckpt=bicubic", f"hr_dir={photos}", f"out_dir={tmp_path}/o")
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_baseline_net_is_imresize() -> None:
    lr = to_float(picture(9, 7))
    net = Bicubic(scale=3)(to_tensor(lr)[None])[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(net, imresize(lr, size=(27, 21)), atol=1e-5)
