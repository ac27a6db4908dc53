"""Compression does what the codec does with a file."""

import cv2
import numpy as np
import pytest
from degradation_steps import GRAY, PHOTO, applied
from helpers import picture

from sr.degradations.compression import Jpeg, Webp
from sr.ops.image import quantize, to_float


@pytest.mark.parametrize("quality", [30, 60, 95])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
def test_jpeg_is_the_codec_called_directly(quality: int, subsampling: str) -> None:
    """Pillow brings its own libjpeg; the pixels agree but for what two decoders round differently."""
    from io import BytesIO

    from PIL import Image

    levels = picture(64, 80)
    buffer = BytesIO()
    Image.fromarray(levels).save(
        buffer,
        "JPEG",
        quality=quality,
        subsampling={"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}[subsampling],
    )
    direct = np.asarray(Image.open(buffer)).astype(int)
    ours = (Jpeg(quality=quality, subsampling=subsampling)(to_float(levels), hr_size=(1, 1)) * 255).round()
    assert np.abs(ours - direct).max() <= 2
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    if subsampling == "4:2:0":  # what OpenCV does when it is not asked
        encoded = cv2.imencode(".jpg", levels[:, :, ::-1], settings)[1]
        np.testing.assert_array_equal(ours, cv2.imdecode(encoded, cv2.IMREAD_COLOR)[:, :, ::-1])


def test_chroma_subsampling_blurs_colour_and_not_brightness() -> None:
    stripes = np.zeros((32, 32, 3), np.float32)
    stripes[:, ::2, 0] = stripes[:, 1::2, 2] = 1  # red and blue columns
    errors = {
        name: np.abs(Jpeg(quality=95, subsampling=name)(stripes, hr_size=(1, 1)) - stripes).mean()
        for name in ("4:4:4", "4:2:0")
    }
    assert errors["4:2:0"] > 5 * errors["4:4:4"]


def test_lower_quality_is_worse() -> None:
    for kind in (Jpeg, Webp):
        errors = [np.abs(applied(kind(quality=quality)) - PHOTO).mean() for quality in (95, 60, 20)]
        assert errors == sorted(errors)
        assert errors[-1] > 2 * errors[0]


def test_gray_jpeg() -> None:
    gray = PHOTO[:, :, :1]
    assert applied(Jpeg(quality=90), gray).shape == gray.shape
    assert np.abs(applied(Jpeg(quality=90), gray) - gray).mean() < 0.02


def test_a_codec_rounds_and_clips_as_a_file_does() -> None:
    overshoot = GRAY + np.linspace(-1, 1, 64, dtype=np.float32)[None, :, None]
    np.testing.assert_array_equal(
        applied(Jpeg(quality=80), overshoot), applied(Jpeg(quality=80), quantize(overshoot))
    )


def test_jpeg_of_five_bands_is_refused() -> None:
    with pytest.raises(ValueError, match=r"channels=5: \.jpg holds 1 \(gray\) or 3"):
        applied(Jpeg(quality=80), np.zeros((8, 8, 5), np.float32))
