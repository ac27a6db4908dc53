"""Named protocols: what each fixes, and that a table says which one it is."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from evaluation_runs import chosen_protocol, evaluate_into
from helpers import ROOT, compose_config, picture
from omegaconf import OmegaConf

from sr.cli.choices import changed_keys
from sr.evaluation.lr_origin import SqueezedLR
from sr.evaluation.result import Evaluation
from sr.evaluation.tables import format_protocol
from sr.ops.image import to_float
from sr.ops.resize import imresize
from sr.pictures.writing import write_png

NAMES = sorted(path.stem for path in (ROOT / "conf" / "protocol").glob("*.yaml"))
LUMA = np.array([65.481, 128.553, 24.966])


def run(tmp_path: Path, *overrides: str) -> Evaluation:
    return evaluate_into(tmp_path, "report_images=0", "ckpt=bicubic", *overrides)


def bicubic(hr: np.ndarray, scale: int) -> np.ndarray:
    """Down and up by imresize, rounded to 8 bits at both ends: (H, W, 3) in [0, 255]."""
    height, width = hr.shape[:2]
    lr = np.round(np.clip(imresize(hr / 255, size=(height // scale, width // scale)), 0, 1) * 255) / 255
    return np.round(np.clip(imresize(lr, size=(height, width)), 0, 1) * 255)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a - b) ** 2)))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for number, size in enumerate([(48, 56), (60, 44)]):
        write_png(tmp_path / "hr" / f"{number}.png", picture(*size, seed=number))
    return tmp_path / "hr"


def test_the_names() -> None:
    assert NAMES == ["esrgan_paper", "rgb", "source", "validation"]
    for name in NAMES:
        assert OmegaConf.load(ROOT / "conf" / "protocol" / f"{name}.yaml")["protocol"] == name


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("round_luma", [False, True])
def test_esrgan_paper_against_numpy(tmp_path: Path, directory: Path, scale: int, round_luma: bool) -> None:
    report = run(
        tmp_path,
        "protocol=esrgan_paper",
        f"hr_dir={directory}",
        f"scale={scale}",
        f"metric.round_luma={round_luma}",
    )
    expected = []
    for number, (height, width) in enumerate([(48, 56), (60, 44)]):
        hr = picture(height, width, seed=number).astype(np.float64)
        a, b = (image[scale:-scale, scale:-scale] @ LUMA / 255 + 16 for image in (bicubic(hr, scale), hr))
        expected.append(psnr(np.round(a), np.round(b)) if round_luma else psnr(a, b))
    assert report.metrics == ["psnr_y", "ssim_y"]
    found = report.sets["hr"].means["bicubic"]
    assert found["psnr_y"].value == pytest.approx(
        np.mean(expected), abs=2e-4
    )  # the mean of the images' values


def test_rgb_against_numpy(tmp_path: Path, directory: Path) -> None:
    report = run(tmp_path, "protocol=rgb", f"hr_dir={directory}")
    assert report.metrics == ["psnr_rgb", "ssim_rgb"]
    hr = picture(48, 56).astype(np.float64)
    expected = psnr(bicubic(hr, 4)[4:-4, 4:-4], hr[4:-4, 4:-4])
    assert report.sets["hr"].images[0].values["bicubic"]["psnr_rgb"] == pytest.approx(expected, abs=2e-4)


def test_source_against_opencv(tmp_path: Path, directory: Path) -> None:
    report = run(tmp_path, "protocol=source", f"hr_dir={directory}")
    found = report.sets["hr"].images[1].values["bicubic"]
    assert list(found) == ["psnr_rgb", "ssim_rgb"]
    hr = picture(60, 44, seed=1)
    lr = (
        np.round(np.clip(cv2.resize(to_float(hr), (96, 96), interpolation=cv2.INTER_CUBIC), 0, 1) * 255) / 255
    )
    sr = np.round(np.clip(imresize(lr, size=(384, 384)), 0, 1) * 255)
    back = cv2.resize((sr / 255).astype(np.float32), (44, 60), interpolation=cv2.INTER_CUBIC)
    assert found["psnr_rgb"] == pytest.approx(psnr(np.round(np.clip(back, 0, 1) * 255), hr * 1.0), abs=2e-3)
    assert (report.protocol.lr, report.protocol.crop_border) == (SqueezedLR(96), 0)
    text = " ".join(format_protocol(report).split())
    assert "no border cut" in text
    assert "LR: HR squeezed to 96 x 96 by bicubic interpolation without antialiasing" in text


def test_a_changed_protocol_is_called_changed(tmp_path: Path, directory: Path) -> None:
    shared = ["protocol=esrgan_paper", f"hr_dir={directory}"]
    assert run(tmp_path, *shared).protocol.changed == []
    report = run(tmp_path, *shared, "metric.crop_border=0", "metric.spaces=[y,rgb]")
    assert report.protocol.changed == ["metric.crop_border=0", "metric.spaces=['y', 'rgb']"]
    assert format_protocol(report).startswith(
        "protocol esrgan_paper, but with metric.crop_border=0, metric.spaces="
    )
    assert "no border cut" in format_protocol(report)


@pytest.mark.parametrize("name", NAMES)
def test_unchanged_protocols_are_not(name: str) -> None:
    overrides = [f"protocol={name}", "scale=4"]
    protocol = chosen_protocol(*overrides)
    assert protocol.name == name
    assert changed_keys(compose_config(*overrides, program="evaluate"), protocol.settings) == []


def test_what_a_squeeze_does_not_go_with(tmp_path: Path, directory: Path) -> None:
    shared = ["protocol=source", f"hr_dir={directory}"]
    with pytest.raises(ValueError, match=r"squeeze=96 makes LR of HR; lr_dir=.* cannot be given beside it"):
        run(tmp_path, *shared, f"lr_dir={directory}")
    with pytest.raises(
        ValueError, match="squeeze=96 makes LR by itself, and the stages first, second, last would not"
    ):
        run(tmp_path, *shared, "degradation=realesrgan")
    with pytest.raises(ValueError, match="draws=2: squeeze=96 draws nothing"):
        run(tmp_path, *shared, "draws=2")


def test_luma_of_gray_images_is_refused_before_any_work(tmp_path: Path, directory: Path) -> None:
    with pytest.raises(
        ValueError, match="metric space y needs RGB images, got 1 channels: metric=channels takes any"
    ):
        run(tmp_path, "protocol=esrgan_paper", "channels=1", f"hr_dir={directory}")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("channels", "choice", "spaces"),
    [
        (3, "by_channels", ["y", "rgb"]),
        (1, "by_channels", ["channels"]),
        (5, "by_channels", ["channels"]),
        (3, "channels", ["channels"]),
    ],
)
def test_the_spaces_follow_from_the_metric_that_is_chosen(
    channels: int, choice: str, spaces: list[str]
) -> None:
    cfg = compose_config(f"channels={channels}", f"metric={choice}", program="evaluate")
    assert cfg.metric.spaces == spaces


def test_no_protocol_is_known_by_its_name(tmp_path: Path) -> None:
    """Whoever asks for luma of gray images is told so, in the protocol that usually takes all channels too."""
    write_png(tmp_path / "hr" / "a.png", picture(48, 48, channels=1))
    gray = ["channels=1", f"hr_dir={tmp_path}/hr"]
    with pytest.raises(ValueError, match="metric space y needs RGB images, got 1 channels"):
        run(tmp_path, *gray, "metric.spaces=[y]")
    assert run(tmp_path, *gray).metrics == ["psnr_channels", "ssim_channels", "mse"]
