"""What is written above the pictures of comparison.png."""

import numpy as np
from helpers import picture

from sr.evaluation.comparison import CROP, busiest_crops, caption, titled
from sr.evaluation.result import ImageResult
from sr.evaluation.versions import Versions
from sr.metrics.protocol import Protocol
from sr.metrics.quantity import Quantity


def test_numbers_have_their_names_and_units() -> None:
    quantities = Protocol(crop_border=4).quantities
    values = {"psnr_y": 28.43, "ssim_y": 0.8113, "psnr_rgb": 26.0}
    assert caption(values, quantities) == "PSNR on Y 28.43 dB\nSSIM on Y 0.8113"
    own = {"mae": Quantity(better="lower", digits=".5f")}
    assert caption({"mae": 0.25}, own) == "mae 0.25000"


def test_a_model_has_the_name_of_its_run_and_the_images_theirs() -> None:
    hr = picture(64, 80)
    versions = Versions(lr=hr[::4, ::4], models={"bicubic": hr, "quickstart": hr}, hr=hr)
    values = {name: {"psnr_y": 30.0} for name in versions.models}
    crops = busiest_crops(versions, size=CROP)
    found = dict(titled(crops, ImageResult("face", values), Protocol(crop_border=4).quantities))
    assert [title.split("\n") for title in found] == [
        ["", "LR", "face"],
        ["bicubic", "PSNR on Y 30.00 dB"],
        ["quickstart", "PSNR on Y 30.00 dB"],
        ["", "HR", "face"],
    ]
    assert {crop.shape for crop in found.values()} == {(64, 64, 3)}
    assert all(isinstance(crop, np.ndarray) for crop in found.values())
