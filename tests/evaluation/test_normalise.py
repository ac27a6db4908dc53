"""What a checkpoint says of its values, in an evaluation."""

from pathlib import Path

import numpy as np
import pytest
import torch
from evaluation_runs import run_evaluation
from scenes import scene, write_scene, write_scenes

from sr.archs.srvgg import SRVGGNetCompact
from sr.evaluation.candidates import load_candidates

SIZES = {"num_feat": 4, "num_conv": 1, "in_channels": 4, "out_channels": 4}


def write_run(path: Path, normalise: dict | None) -> Path:
    """A checkpoint of a run on four bands, with an untrained net that enlarges by 4."""
    torch.manual_seed(0)
    state = {f"generator_ema.{key}": value for key, value in SRVGGNetCompact(**SIZES).state_dict().items()}  # type: ignore[arg-type]
    words = {"_target_": "sr.archs.srvgg.SRVGGNetCompact", **SIZES}
    config = {"scale": 4, "channels": 4, "generator": words, "data": {"normalise": normalise}}
    torch.save({"state_dict": state, "config": config}, path)
    return path


def evaluated(tmp_path: Path, *overrides: str) -> dict[str, float]:
    found = run_evaluation(
        f"hr_dir={tmp_path / 'scenes'}",
        f"out_dir={tmp_path / 'out'}",
        "device=cpu",
        "report_images=0",
        "metric=bands",
        "measure=[ergas,sam]",
        *overrides,
    )
    model = found.models[0]
    return {name: mean.value for name, mean in found.sets["scenes"].means[model].items()}


def test_bicubic_in_units_of_the_file_does_not_depend_on_the_range(tmp_path: Path) -> None:
    """ERGAS and the angle are of the values of the files; PSNR is of the range, by the square of its length."""
    write_scenes(tmp_path / "scenes", count=2, hole=True)
    bicubic = ("ckpt=bicubic", "channels=4", "scale=4")
    one = evaluated(tmp_path, *bicubic, "normalise={low: 0, high: 10000}")
    other = evaluated(tmp_path, *bicubic, "normalise={low: -2000, high: 3000}")
    assert other["ergas"] == pytest.approx(one["ergas"], rel=1e-4)
    assert other["sam"] == pytest.approx(one["sam"], rel=1e-4)
    assert one["psnr_channels"] - other["psnr_channels"] == pytest.approx(20 * np.log10(2), abs=1e-2)


def test_scenes_of_floats_are_evaluated(tmp_path: Path) -> None:
    image = scene(64, 64, dtype="float32")
    write_scene(tmp_path / "scenes" / "a.tif", image)
    image[:20, :20] = np.nan
    write_scene(tmp_path / "scenes" / "b.tif", image)
    values = evaluated(tmp_path, f"ckpt={write_run(tmp_path / 'a.ckpt', {'low': 0, 'high': 3000})}")
    assert all(np.isfinite(value) for value in values.values())
    with pytest.raises(ValueError, match=r"a\.tif: float32 has no natural range"):
        evaluated(tmp_path, f"ckpt={write_run(tmp_path / 'b.ckpt', None)}")


def test_the_numbers_of_the_checkpoint_cannot_be_replaced(tmp_path: Path) -> None:
    write_scenes(tmp_path / "scenes", count=1)
    ckpt = write_run(tmp_path / "a.ckpt", {"low": 0, "high": 3000})
    with pytest.raises(ValueError, match=r"the checkpoint was trained with data\.normalise="):
        evaluated(tmp_path, f"ckpt={ckpt}", "normalise={low: 0, high: 1}")
    with pytest.raises(ValueError, match="squeeze=16 rounds to 8 bits"):
        evaluated(tmp_path, f"ckpt={ckpt}", "squeeze=16")


def test_nets_of_one_normalisation_are_compared_and_mixed(tmp_path: Path) -> None:
    files = {
        name: str(write_run(tmp_path / f"{name}.ckpt", {"low": low, "high": 3000}))
        for name, low in (("one", 0), ("two", 1))
    }
    with pytest.raises(ValueError, match="models of one normalisation can be compared"):
        load_candidates(files, scale=None)
    same = {"one": files["one"], "other": str(write_run(tmp_path / "c.ckpt", {"low": [0.0], "high": [3000]}))}
    assert load_candidates(same, scale=None).normalise == {"low": 0, "high": 3000}
