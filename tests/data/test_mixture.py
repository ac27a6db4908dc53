"""Several directories as one source, with shares."""

from pathlib import Path

import numpy as np
import pytest
from helpers import picture

from sr.data.mixture import JoinedImages, weighted_order
from sr.data.origins import FolderData, PairedData
from sr.data.sources import ImageFiles
from sr.degradations.bicubic import BicubicDegradation
from sr.pictures.writing import write_png


def folder(root: Path, names: str, *, level: int, side: int = 16) -> Path:
    """Images of one level each, by which a sample tells its directory."""
    for name in names:
        write_png(root / f"{name}.png", np.full((side, side, 3), level, np.uint8))
    return root


def test_joined_images_are_the_parts_one_after_the_other(tmp_path: Path) -> None:
    write_png(tmp_path / "a" / "x.png", picture(8, 9, seed=1))
    write_png(tmp_path / "b" / "x.png", picture(10, 8, seed=2))
    write_png(tmp_path / "b" / "y.png", picture(11, 8, seed=3))
    joined = JoinedImages([ImageFiles.from_directory(tmp_path / name) for name in "ab"])
    assert [joined[index].shape[:2] for index in range(len(joined))] == [(8, 9), (10, 8), (11, 8)]
    assert [joined.name(index) for index in range(len(joined))] == ["x", "x", "y"]
    assert len(set(joined.listing())) == 3


@pytest.mark.parametrize("weights", [(3, 1), (1, 1), (1, 2.5)])
def test_a_weighted_order_holds_the_shares_and_takes_the_images_of_a_part_equally_often(
    weights: tuple[float, float],
) -> None:
    sizes, laps = (5, 12), 60
    order = np.concatenate([weighted_order(lap, sizes=sizes, weights=weights, seed=1) for lap in range(laps)])
    counts = np.bincount(order, minlength=17)
    assert len(order) == 17 * laps
    assert counts[:5].sum() == pytest.approx(17 * laps * weights[0] / sum(weights), abs=1)
    for part in (counts[:5], counts[5:]):
        assert part.max() - part.min() <= 1


def test_a_weighted_order_is_a_function_of_seed_and_pass() -> None:
    first, again = (weighted_order(3, sizes=[4, 5], weights=[1, 2], seed=7) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, weighted_order(3, sizes=[4, 5], weights=[1, 2], seed=8))
    assert not np.array_equal(first, weighted_order(4, sizes=[4, 5], weights=[1, 2], seed=7))


SETTINGS = {"scale": 2, "hr_patch_size": 8, "batch_size": 4, "seed": 0, "num_workers": 0}


def test_training_samples_come_in_the_shares(tmp_path: Path) -> None:
    dark, light = folder(tmp_path / "dark", "abcd", level=10), folder(tmp_path / "light", "efgh", level=200)
    data = FolderData(
        **SETTINGS,  # type: ignore[arg-type]
        train_dir=[str(dark), str(light)],
        weights=[3, 1],
        degradation=BicubicDegradation(scale=2),
        iterations_per_epoch=20,
    )
    levels = [level > 0.5 for batch in data.train_dataloader() for level in batch["hr"].mean((1, 2, 3))]
    assert len(levels) == 80
    assert sum(levels) == 20


def test_pairs_of_several_directories(tmp_path: Path) -> None:
    hr = [folder(tmp_path / "hr1", "ab", level=10), folder(tmp_path / "hr2", "a", level=200)]
    lr = [
        folder(tmp_path / "lr1", "ab", level=10, side=8),
        folder(tmp_path / "lr2", "a", level=200, side=8),
    ]
    for file in [*lr[1].iterdir()]:
        file.rename(file.with_name("a_x2.png"))
    data = PairedData(
        **SETTINGS,  # type: ignore[arg-type]
        train_dir=[str(each) for each in hr],
        train_lr_dir=[str(each) for each in lr],
        val_degradation=BicubicDegradation(scale=2),
        weights=[1, 1],
        iterations_per_epoch=3,
    )
    batches = list(data.train_dataloader())
    for batch in batches:
        assert np.allclose(batch["lr"].mean((1, 2, 3)), batch["hr"].mean((1, 2, 3)), atol=1e-6)
    assert sum(int((batch["hr"] > 0.5).any((1, 2, 3)).sum()) for batch in batches) == 6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": [1]}, r"data\.weights=\[1\]: give one number above 0 for each of the 2 directory"),
        ({"weights": [1, 0]}, r"data\.weights=\[1, 0\]: give one number above 0"),
        (
            {"exclude": "list.txt"},
            r"data\.exclude=list\.txt: give a list of files, or null, for each of the 2",
        ),
    ],
)
def test_what_does_not_fit_the_directories_is_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    dirs = [str(folder(tmp_path / name, "a", level=1)) for name in ("one", "two")]
    with pytest.raises(ValueError, match=message):
        FolderData(
            **SETTINGS,  # type: ignore[arg-type]
            **changes,  # type: ignore[arg-type]
            train_dir=dirs,
            degradation=BicubicDegradation(scale=2),
        )


def test_no_directory_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match=r"data\.train_dir .* is empty: name a directory"):
        FolderData(**SETTINGS, train_dir=[], degradation=BicubicDegradation(scale=2))  # type: ignore[arg-type]
