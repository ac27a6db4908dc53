"""One flipped bit of a file of weights stops every program that reads it, with the file's name."""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from weight_files import SMALL, Payload, net

from sr.archs.rrdbnet import RRDBNet
from sr.commands.upscale import parse
from sr.evaluation.candidates import load_candidates
from sr.export.formats import file_format_of
from sr.ops.weight_file import CheckpointError
from sr.programs import export, upscale
from sr.run.checkpoint_files import newest_intact
from sr.run.resume import ResumeError, find_saved
from sr.run.warm_start import warm_start


def evaluate(path: Path) -> None:
    load_candidates({"net": str(path)}, scale=None)


def start_from(path: Path) -> None:
    model = SimpleNamespace(generator=RRDBNet(**SMALL), generator_ema=RRDBNet(**SMALL))
    settings: dict[str, Any] = {"init_discriminator_from": None, "init_strict": False, "generator": SMALL}
    warm_start(model, init_from=str(path), **settings)


def sr_export(path: Path) -> None:
    export.load(Namespace(ckpt=path, interpolate_with=None, alpha=None, license=None, trust=[]))


def interpolate(path: Path) -> None:
    whole = path.with_name("whole.pth")
    torch.save(net().state_dict(), whole)
    export.load(Namespace(ckpt=whole, interpolate_with=path, alpha=0.5, license=None, trust=[]))


def sr_upscale(path: Path) -> None:
    options = parse(["x.png", "--ckpt", str(path), "--out", "out"])
    upscale.make_upscaler(options, [], report=print)


def resume(path: Path) -> None:
    find_saved(str(path), path.parent)


def written(folder: Path, suffix: str) -> Path:
    path = folder / f"a{suffix}"
    torch.save(
        {"params_ema": net().state_dict(), "training": {}, "loops": {}, "config": {}}, folder / "a.pth"
    )
    if suffix == ".safetensors":
        trained = sr_trained(folder / "a.pth")
        path.write_bytes(file_format_of("safetensors").encode(*trained)[suffix])
    return path


def sr_trained(path: Path) -> Any:
    return export.load(Namespace(ckpt=path, interpolate_with=None, alpha=None, license=None, trust=[]))


READERS = (evaluate, start_from, sr_export, interpolate, sr_upscale, resume)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("read", READERS)
def test_one_bit_stops_every_reader(tmp_path: Path, read: Callable[[Path], None], suffix: str) -> None:
    path = written(tmp_path, suffix)
    data = path.read_bytes()
    stored = net().conv_hr.weight.detach().numpy().tobytes()
    place = data.index(stored) + int(np.random.default_rng(0).integers(len(stored)))
    path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    with pytest.raises((CheckpointError, ResumeError), match=rf"a\{suffix}.*damaged"):
        read(path)


@pytest.mark.parametrize("read", READERS[:-1])
def test_one_value_that_is_no_number_stops_every_reader(tmp_path: Path, read: Callable[[Path], None]) -> None:
    weights = {name: value.clone() for name, value in net().state_dict().items()}
    weights["conv_hr.bias"][0] = torch.nan
    torch.save(weights, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"a\.pth: conv_hr\.bias has 1 of 8 values that are not finite"):
        read(tmp_path / "a.pth")


def test_a_run_does_not_go_on_with_what_is_no_number(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for name, value in (("last", torch.inf), ("last-1", 1.0)):
        state = {"generator.conv.weight": torch.tensor([1.0, value])}
        torch.save({"state_dict": state, "training": {}, "loops": {}}, folder / f"{name}.ckpt")
    assert newest_intact(folder) == folder / "last-1.ckpt"
    with pytest.raises(ResumeError, match=r"generator\.conv\.weight has 1 of 2 values that are not finite"):
        find_saved(str(folder / "last.ckpt"), tmp_path)


def test_a_run_does_not_go_on_with_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": Payload(Path.touch), "training": {}, "loops": {}, "config": {}}, "evil.ckpt")
    with pytest.raises(ResumeError) as caught:
        find_saved("evil.ckpt", tmp_path)
    assert "resume=evil.ckpt: refused, since reading it would run code (getattr)" in str(caught.value)
    assert "weights_only" not in str(caught.value)
    assert not Path("ran").exists()
