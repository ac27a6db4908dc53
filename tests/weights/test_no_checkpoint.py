"""Files that are no checkpoint, that would run code, or whose weights are not finite."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from weight_files import Payload, net, write_ours

from sr.ops.weight_file import CheckpointError
from sr.weights.checkpoint import read_checkpoint
from sr.weights.generator import load_generator


def test_what_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.ckpt does not exist"):
        read_checkpoint(tmp_path / "none.ckpt")
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    with pytest.raises(CheckpointError, match=r"text\.ckpt: no checkpoint, or a damaged or truncated one"):
        read_checkpoint(tmp_path / "text.ckpt")
    data = write_ours(tmp_path / "a.ckpt").read_bytes()
    (tmp_path / "half.ckpt").write_bytes(data[: len(data) // 2])
    with pytest.raises(CheckpointError, match=r"half\.ckpt: no checkpoint, or a damaged or truncated one"):
        read_checkpoint(tmp_path / "half.ckpt")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(CheckpointError, match="holds a list"):
        read_checkpoint(tmp_path / "list.pth")
    torch.save({"epoch": 3}, tmp_path / "empty.pth")
    with pytest.raises(CheckpointError, match="no weights in it; its keys are epoch"):
        read_checkpoint(tmp_path / "empty.pth")


@pytest.mark.parametrize(
    ("function", "name"), [(Path.touch, "getattr"), (open, "_?io.open"), (__import__, "__import__")]
)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_is_refused_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: Any, name: str, zipped: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"params": Payload(function)}, tmp_path / "evil.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match=rf"evil\.pth: refused, .* would run code \({name}\)"):
        read_checkpoint(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


def test_a_pickle_of_another_writer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"params": Payload(open)}))
    with pytest.raises(CheckpointError, match=r"evil\.pth: refused unread"):
        read_checkpoint(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace")
def test_torchscript_holds_code_and_is_refused(tmp_path: Path) -> None:
    torch.jit.trace(net().eval().requires_grad_(False), torch.rand(1, 3, 4, 4)).save(str(tmp_path / "a.pt"))
    with pytest.raises(CheckpointError, match=r"a\.pt: a TorchScript program, which holds code"):
        read_checkpoint(tmp_path / "a.pt")


def test_a_weight_that_is_no_number_is_named(tmp_path: Path) -> None:
    for value, dtype in ((torch.nan, torch.float32), (-torch.inf, torch.float16), (1e300, torch.float64)):
        weights = {key: each.clone() for key, each in net().state_dict().items()}
        weights["conv_hr.bias"] = weights["conv_hr.bias"].to(dtype)
        weights["conv_hr.bias"][3] = value  # which fp32 does not reach in the last case
        torch.save(weights, tmp_path / "a.pth")
        with pytest.raises(CheckpointError, match=r"a\.pth: conv_hr\.bias has 1 of 8 values that are not fi"):
            load_generator(tmp_path / "a.pth")
