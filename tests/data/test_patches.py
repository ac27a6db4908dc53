"""Training samples: where they are cut, how they are turned, and what bad files do."""

from pathlib import Path
from typing import Any

import albumentations
import numpy as np
import pytest
import torch
from helpers import picture

from sr.data.patches import Augmentation, PairedPatches, SynthesizedPatches, usable_files
from sr.data.sampler import Draw
from sr.data.sources import ImageFiles
from sr.degradations.bicubic import BicubicDegradation
from sr.degradations.compression import RandomJpeg
from sr.degradations.pipeline import Degradation
from sr.degradations.record import DegradationError
from sr.degradations.resize import MatlabBicubic, RandomResize
from sr.degradations.sharpen import UnsharpMask
from sr.ops.image import to_float
from sr.pictures.picture import UnreadableImageError
from sr.pictures.writing import write_png


def synthesized(
    photos: Path,
    *,
    on_error: str = "raise",
    transforms: tuple = (),
    size: int = 32,
    sharpen: UnsharpMask | None = None,
) -> SynthesizedPatches:
    return SynthesizedPatches(
        images=ImageFiles.from_directory(photos),
        degradation=BicubicDegradation(scale=4),
        hr_patch_size=size,
        augmentation=Augmentation(transforms),
        sharpen=sharpen,
        on_error=on_error,
    )


def test_a_draw_gives_the_same_sample_every_time(photos: Path) -> None:
    patches = synthesized(photos, transforms=(albumentations.D4(p=1),))
    first, again = patches[Draw(image=1, seed=(0, 9))], patches[Draw(image=1, seed=(0, 9))]
    assert first["lr"].shape == (3, 8, 8)
    assert first["hr"].shape == (3, 32, 32)
    assert torch.equal(first["lr"], again["lr"])
    assert torch.equal(first["hr"], again["hr"])
    assert not torch.equal(first["hr"], patches[Draw(image=1, seed=(0, 10))]["hr"])


def test_lr_is_that_of_the_whole_image_cut_at_the_same_place(photos: Path) -> None:
    patches = synthesized(photos, size=60)
    image = to_float(patches.images[0])[:64, :72]  # sides are multiples of the scale
    whole = BicubicDegradation(scale=4).draw(np.random.default_rng()).apply(image)
    found = set()
    for position in range(150):
        sample = patches[Draw(image=0, seed=(0, position))]
        hr = sample["hr"].permute(1, 2, 0).numpy()
        for top, left in ((0, 0), (0, 12), (4, 0), (4, 12), (4, 4)):  # the corners reach over the border
            if np.array_equal(image[top : top + 60, left : left + 60], hr):
                lr = whole[top // 4 : top // 4 + 15, left // 4 : left // 4 + 15]
                np.testing.assert_allclose(sample["lr"].permute(1, 2, 0).numpy(), lr, atol=1e-6)
                found.add((top, left))
    assert len(found) >= 3


def test_flips_keep_lr_and_hr_together(photos: Path) -> None:
    """LR of the turned patch is the turned LR, so bicubic of HR must still match LR for all eight turns."""
    patches = synthesized(photos, transforms=(albumentations.D4(p=1),))
    for position in range(16):
        sample = patches[Draw(image=3, seed=(0, position))]
        pooled = torch.nn.functional.avg_pool2d(sample["hr"], 4)
        error = (pooled - sample["lr"]).abs().mean()
        assert error < 0.3 * (pooled.flip(-1) - sample["lr"]).abs().mean()
        assert error < 0.3 * (pooled.transpose(-1, -2) - sample["lr"]).abs().mean()


def test_paired_patches_are_cut_and_turned_together(tmp_path: Path) -> None:
    hr = picture(48, 64)
    write_png(tmp_path / "hr" / "a.png", hr)
    write_png(tmp_path / "lr" / "a.png", np.ascontiguousarray(hr[::4, ::4]))
    patches = PairedPatches(
        hr=ImageFiles.from_directory(tmp_path / "hr"),
        lr=ImageFiles.from_directory(tmp_path / "lr"),
        scale=4,
        hr_patch_size=16,
        augmentation=Augmentation([albumentations.HorizontalFlip(p=0.5), albumentations.Transpose(p=0.5)]),
        sharpen=None,
        on_error="raise",
    )
    turned = set()
    for position in range(40):
        sample = patches[Draw(image=0, seed=(0, position))]
        # Whatever the turn, each 4 x 4 block of HR holds the LR pixel at that of its corners to which [0, 0] went.
        corners = [sample["hr"][:, y::4, x::4] for y in (0, 3) for x in (0, 3)]
        matches = [torch.equal(corner, sample["lr"]) for corner in corners]
        assert any(matches)
        turned.add(matches.index(True))
    assert len(turned) > 1


def test_padded_pairs_stay_aligned(tmp_path: Path) -> None:
    ramp = np.repeat(np.arange(35, dtype=np.uint8)[:, None, None] * 7, 35, axis=1).repeat(3, axis=2)
    write_png(tmp_path / "hr" / "a.png", ramp)  # three rows more than LR knows of
    write_png(tmp_path / "lr" / "a.png", np.ascontiguousarray(ramp[:32:4, :32:4]))
    files = {side: ImageFiles.from_directory(tmp_path / side) for side in ("hr", "lr")}
    patches = PairedPatches(
        **files, scale=4, hr_patch_size=48, augmentation=Augmentation([]), sharpen=None, on_error="raise"
    )
    sample = patches[Draw(image=0, seed=(0, 0))]
    rows = sample["hr"][0, :, 0].reshape(12, 4)  # LR took the first row of four, or, mirrored, the last
    assert all(value in row for value, row in zip(sample["lr"][0, :, 0], rows, strict=True))


def test_unknown_albumentations_argument_is_an_error() -> None:
    with pytest.warns(UserWarning):
        transform = albumentations.HorizontalFlip(p=0.5, probability=0.5)
    with pytest.raises(ValueError, match="probability"):
        Augmentation([transform])


def test_colour_transforms_work_on_patches(photos: Path) -> None:
    colour = albumentations.RandomBrightnessContrast(brightness_limit=(0.2, 0.2), contrast_limit=(0, 0), p=1)
    plain = synthesized(photos)[Draw(image=0, seed=(0, 0))]
    bright = synthesized(photos, transforms=(colour,))[Draw(image=0, seed=(0, 0))]
    assert bright["hr"].mean() > plain["hr"].mean() + 0.1
    assert bright["lr"].mean() > plain["lr"].mean() + 0.1


def test_an_unreadable_file_is_named_or_replaced_and_counted(photos: Path) -> None:
    data = (photos / "b.png").read_bytes()
    (photos / "b.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableImageError, match=r"b\.png"):
        synthesized(photos)[Draw(image=1, seed=(0, 0))]
    patches = synthesized(photos, on_error="skip")
    assert patches[Draw(image=1, seed=(0, 0))]["hr"].shape == (3, 32, 32)
    assert patches.unreadable.tolist() == [False, True, False, False]


def test_only_unreadable_files_end_the_run(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("x")
    with pytest.raises(UnreadableImageError, match="none of the 1 training images"):
        synthesized(tmp_path, on_error="skip")[Draw(image=0, seed=(0, 0))]


def test_sizes_are_checked_before_training(photos: Path, tmp_path: Path) -> None:
    images = ImageFiles.from_directory(photos)
    with pytest.raises(
        ValueError,
        match=r"^3 of 4 images are smaller than a patch of 68, the smallest is .*a\.png of 72 x 64 pixels: write"
        r" data\.small_images=pad, which mirrors them, or data\.hr_patch_size=64, which all of them fill$",
    ):
        usable_files(images, smallest=68, small_images="raise", on_error="raise", unit=16)
    assert len(usable_files(images, smallest=68, small_images="pad", on_error="raise", unit=16)) == 4
    (photos / "b.png").write_bytes(b"")
    images = ImageFiles.from_directory(photos)
    with pytest.raises(UnreadableImageError, match=r"b\.png: the file is empty"):
        usable_files(images, smallest=8, small_images="raise", on_error="raise", unit=16)
    assert len(usable_files(images, smallest=8, small_images="raise", on_error="skip", unit=16)) == 3


def test_sharpened_hr_is_the_target_and_the_source_of_lr(photos: Path) -> None:
    """As Real-ESRGAN does: LR is made of the sharpened image, and HR itself stays plain for the discriminator."""
    sharpen = UnsharpMask(threshold=0)
    draw = Draw(image=1, seed=(0, 9))
    plain, sharp = synthesized(photos, size=64)[draw], synthesized(photos, size=64, sharpen=sharpen)[draw]
    assert set(plain) == {"lr", "hr"}
    assert torch.equal(sharp["hr"], plain["hr"])
    assert (sharp["target"] - plain["hr"]).abs().max() > 0.02
    assert sharp["target"].shape == plain["hr"].shape
    expected = (
        BicubicDegradation(scale=4)
        .draw(np.random.default_rng())
        .apply(sharp["target"].permute(1, 2, 0).numpy())
    )
    inside = slice(2, -2)  # the patch was degraded with a margin, its cut-out without
    np.testing.assert_allclose(
        sharp["lr"].permute(1, 2, 0).numpy()[inside, inside], expected[inside, inside], atol=1.01 / 255
    )
    assert not torch.equal(sharp["lr"], plain["lr"])


def test_paired_patches_can_have_a_sharpened_target(tmp_path: Path) -> None:
    write_png(tmp_path / "hr" / "a.png", picture(64, 64))
    write_png(tmp_path / "lr" / "a.png", picture(16, 16))
    files = {side: ImageFiles.from_directory(tmp_path / side) for side in ("hr", "lr")}
    sharpen = UnsharpMask(threshold=0)
    patches = PairedPatches(
        **files,
        scale=4,
        hr_patch_size=48,
        augmentation=Augmentation([]),
        sharpen=sharpen,
        on_error="raise",
    )
    sample = patches[Draw(image=0, seed=(0, 0))]
    expected = sharpen(sample["hr"].permute(1, 2, 0).numpy())
    np.testing.assert_allclose(sample["target"].permute(1, 2, 0).numpy(), expected, atol=1e-6)


def test_a_degradation_that_fails_names_the_file_and_what_was_drawn(photos: Path) -> None:
    patches = synthesized(photos)
    never_lr = RandomResize(directions={"down": 1.0}, factor=[0.5, 1])
    patches.degradation = Degradation(scale=4, margin=8, stages={"resize": never_lr})
    with pytest.raises(
        DegradationError, match=r'^deep/c: .*ResizeToLR; the draws were .*"fraction": 0\.'
    ) as caught:
        patches[Draw(image=3, seed=(0, 0))]
    # As a loader process hands it on: rebuilt from its text.
    assert str(DegradationError(str(caught.value))) == str(caught.value)


def jittered(photos: Path, **stages: Any) -> SynthesizedPatches:
    patches = synthesized(photos, size=48)
    patches.degradation = Degradation(
        scale=4, margin=48, jitter=8, stages={"lr": MatlabBicubic(scale=4), **stages}
    )
    return patches


def test_jitter_leaves_the_pair_as_it_is(photos: Path) -> None:
    """The window moves, and the patch in it with the opposite sign."""
    for position in range(10):
        draw = Draw(image=0, seed=(0, position))
        before, after = synthesized(photos, size=48)[draw], jittered(photos)[draw]
        assert torch.equal(after["hr"], before["hr"])
        torch.testing.assert_close(after["lr"], before["lr"], rtol=0, atol=1e-6)


def test_jitter_moves_the_blocks_of_jpeg(photos: Path) -> None:
    coarse = RandomJpeg(quality=[15, 15])
    phases = set()
    for position in range(40):
        draw = Draw(image=0, seed=(0, position))
        before, after = synthesized(photos, size=48)[draw]["lr"], jittered(photos, jpeg=coarse)[draw]["lr"]
        steps = after.diff(dim=1).abs() - before.diff(dim=1).abs()
        phases.add(int(steps.mean(dim=(0, 2)).argmax()) % 8)  # where blocks meet there is a step
    assert len(phases) >= 6
