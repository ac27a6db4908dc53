"""What a training on pairs says of them before it begins, and that it changes nothing."""

import logging
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import picture
from lightning.pytorch.utilities import rank_zero_only
from shifted_pairs import pair
from small_data import SHARED

from sr.data.origins import PairedData
from sr.data.registration.at_start import PAIRS, say_alignment
from sr.degradations.bicubic import BicubicDegradation
from sr.pictures.picture import UnreadableImageError
from sr.pictures.writing import write_png

FOLDERS = ("some hr", "lr")


class Images:
    """A source of arrays that counts how often it is asked; None cannot be read."""

    def __init__(self, images: list[np.ndarray | None]) -> None:
        self.images = images
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> np.ndarray:
        self.asked.append(index)
        image = self.images[index]
        if image is None:
            raise UnreadableImageError(f"{index}: broken")
        return image

    def name(self, index: int) -> str:
        return str(index)

    def listing(self) -> list[str]:
        return []


def said(
    caplog: pytest.LogCaptureFixture, *pairs: tuple[np.ndarray | None, np.ndarray | None], scale: int = 4
) -> tuple[int, str]:
    """The level and the text of the one line."""
    caplog.set_level("INFO")
    hr, lr = (Images([each[side] for each in pairs]) for side in (0, 1))
    say_alignment(hr, lr, scale=scale, folders=FOLDERS, lr_name="{name}-small")
    (record,) = caplog.records
    return record.levelno, record.getMessage()


def flat() -> tuple[np.ndarray, np.ndarray]:
    return np.full((512, 512, 3), 90, np.uint8), np.full((128, 128, 3), 90, np.uint8)


def test_aligned_pairs_are_one_line(caplog: pytest.LogCaptureFixture) -> None:
    pairs = [pair(0.0, 0.02), pair(0.06, 0.0), flat()]
    level, text = said(caplog, *pairs)
    assert level == logging.INFO
    assert text == (
        "LR and HR of 2 pairs in lr and some hr are aligned: 0.04 LR pixels apart (median), 0.06 at most (1 pair"
        " more: too flat, too small or too unlike to say)"
    )


def test_a_shift_is_warned_of_with_its_cause_and_the_words_that_help(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hr, _ = pair()
    level, text = said(caplog, (hr, hr[::4, ::4]))
    assert level == logging.WARNING
    assert text.startswith("LR and HR of 0 of 1 pair in lr and some hr are aligned: 0.5")
    assert re.search(r"; LR lies 0\.(3\d|40) down and 0\.(3\d|40) right of HR", text)
    assert text.endswith(
        " of HR (median), as if LR were hr[::4, ::4], single pixels of HR; more than 0.125 is too much, since the net"
        " learns the shift too. `sr-align 'some hr' lr --scale 4 --lr-name '{name}-small'` measures all pairs, --out"
        " DIR writes aligned ones"
    )


def test_a_minority_that_is_not_aligned_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    level, text = said(caplog, pair(), pair(0.5, 0.0), pair())
    assert level == logging.INFO
    assert (
        text
        == "LR and HR of 2 of 3 pairs in lr and some hr are aligned: 0.00 LR pixels apart (median), 0.50 at most"
    )


def test_a_difference_within_the_image_is_another_warning(caplog: pytest.LogCaptureFixture) -> None:
    hr, _ = pair(side=256)
    batch = torch.from_numpy(hr.astype(np.float32)).permute(2, 0, 1)[None]
    lr = torch.nn.functional.interpolate(batch, size=(256, 256), mode="bilinear", align_corners=True)
    level, text = said(caplog, (hr, lr[0].permute(1, 2, 0).round().byte().numpy()))
    assert level == logging.WARNING
    assert text.startswith("LR and HR of 0 of 1 pair in lr and some hr are aligned: 0.0")
    assert "; within an image the shift differs by 0.2" in text
    assert (
        " (median), as with aligned corners, a turned image, another scale or another view, and the net"
        in text
    )


def test_pairs_that_say_nothing_are_not_called_aligned(caplog: pytest.LogCaptureFixture) -> None:
    level, text = said(caplog, flat(), (picture(48, 64), picture(12, 16)))
    assert level == logging.INFO
    assert text == (
        "whether LR and HR of 2 pairs in lr and some hr are aligned cannot be measured: too flat, too small or too"
        " unlike to say"
    )


def test_a_few_pairs_are_looked_at_and_broken_ones_left_to_training(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    hr, lr = pair()
    images = Images([None if number == 5 else hr for number in range(21)])
    others = Images([lr] * 21)
    say_alignment(images, others, scale=4, folders=FOLDERS)
    assert images.asked == [0, 5, 10, 15, 20] and len(images.asked) == PAIRS
    assert others.asked == [0, 10, 15, 20]
    (line,) = caplog.messages
    assert line.startswith("LR and HR of 4 pairs in lr and some hr are aligned: 0.00 LR pixels apart")


def test_other_processes_look_at_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    hr, lr = (Images([each]) for each in pair())
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    say_alignment(hr, lr, scale=4, folders=FOLDERS)
    assert not hr.asked and not lr.asked and not caplog.records


@pytest.mark.parametrize("cache", ["none", "disk"])
def test_training_says_it_for_each_folder_and_takes_the_same_batches(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, cache: str
) -> None:
    caplog.set_level("INFO")
    hr, lr = pair()
    for folder, low in (("a", lr), ("b", hr[::4, ::4])):
        write_png(tmp_path / folder / "hr" / "0.png", hr)
        write_png(tmp_path / folder / "lr" / "0.png", np.ascontiguousarray(low))
    folders = [[str(tmp_path / folder / side) for folder in "ab"] for side in ("hr", "lr")]
    place = {"cache": cache, "cache_dir": str(tmp_path / "cache") if cache == "disk" else None}

    def data() -> PairedData:
        return PairedData(
            **SHARED,
            degradation=BicubicDegradation(scale=4),
            train_dir=folders[0],
            train_lr_dir=folders[1],
            **place,
        )

    plain, checked = data(), data()
    state = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    checked.setup("fit")
    assert (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == state
    lines = [each for each in caplog.messages if " apart " in each]
    assert len(lines) == 2
    assert lines[0].startswith(f"LR and HR of 1 pair in {folders[1][0]} and {folders[0][0]} are aligned: 0.0")
    assert lines[1].startswith(
        f"LR and HR of 0 of 1 pair in {folders[1][1]} and {folders[0][1]} are aligned: 0.5"
    )
    for one, other in zip(plain.train_dataloader(), checked.train_dataloader(), strict=True):
        assert all(torch.equal(one[key], other[key]) for key in ("lr", "hr"))
    caplog.clear()
    data().setup("validate")
    assert not [each for each in caplog.messages if " apart " in each]
