"""One image in all its versions."""

import numpy as np
from helpers import picture

from sr.evaluation.versions import Versions


def test_every_version_has_a_label_of_its_own() -> None:
    hr = picture(8, 12)
    models = {name: np.full_like(hr, level) for level, name in enumerate(("bicubic", "LR", "net"))}
    shown = Versions(lr=hr[::4, ::4], models=models, hr=hr).labelled()
    assert list(shown) == ["LR", "bicubic", "LR (model)", "net", "HR"]
    assert np.array_equal(shown["LR"], hr[::4, ::4])
    assert shown["LR (model)"].max() == 1


def test_a_part_is_the_same_one_in_all_versions() -> None:
    hr = picture(16, 24)
    versions = Versions(lr=hr[::4, ::4], models={"net": hr.copy()}, hr=hr)
    part = versions.part(top=4, left=8, height=8, width=12, scale=4)
    assert np.array_equal(part.hr, hr[4:12, 8:20])
    assert np.array_equal(part.models["net"], part.hr)
    assert np.array_equal(part.lr, part.hr[::4, ::4])
    enlarged = versions.enlarged()
    assert np.array_equal(enlarged.lr, hr[::4, ::4].repeat(4, axis=0).repeat(4, axis=1))
    assert np.array_equal(enlarged.part(top=5, left=7, height=3, width=9).lr, enlarged.lr[5:8, 7:16])
