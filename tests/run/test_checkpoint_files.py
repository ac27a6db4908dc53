"""Which checkpoints of a run are whole."""

from pathlib import Path

import pytest
import torch

from sr.run.checkpoint_files import fault, newest_intact, set_aside
from sr.run.checkpoint_names import checkpoint_name


def save(path: Path, number: int = 0) -> Path:
    path.parent.mkdir(exist_ok=True)
    torch.save({"number": number, "weight": torch.arange(4096.0)}, path)
    return path


def test_names() -> None:
    assert [checkpoint_name("last", place) for place in range(3)] == [
        "last.ckpt",
        "last-1.ckpt",
        "last-2.ckpt",
    ]


def test_a_whole_file_has_no_fault(tmp_path: Path) -> None:
    assert fault(save(tmp_path / "last.ckpt")) is None


@pytest.mark.parametrize("size", [0, 10, 5000, -1])
def test_a_truncated_file_is_recognised(tmp_path: Path, size: int) -> None:
    path = save(tmp_path / "last.ckpt")
    path.write_bytes(path.read_bytes()[:size])
    assert fault(path)


def test_a_single_flipped_bit_of_a_tensor_is_recognised(tmp_path: Path) -> None:
    path = save(tmp_path / "last.ckpt")
    data = bytearray(path.read_bytes())
    place = data.find(torch.arange(4096.0).numpy().tobytes()[4000:4040])
    data[place] ^= 1
    path.write_bytes(data)
    assert torch.load(path, weights_only=True)["number"] == 0  # torch itself does not see it
    assert "checksum" in str(fault(path)) or "CRC" in str(fault(path))


def test_what_an_earlier_run_left_is_kept_under_another_name(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    set_aside(folder)
    for number in (1, 2):
        save(folder / "last.ckpt", number)
        set_aside(folder)
        assert not folder.exists()
    found = [torch.load(tmp_path / f"checkpoints-{n}" / "last.ckpt")["number"] for n in (1, 2)]
    assert found == [1, 2]


def test_damaged_ones_are_passed_over_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "checkpoints"
    for number, name in enumerate(("last", "last-1", "last-2", "best")):
        save(folder / f"{name}.ckpt", number)
    (folder / ".last.part").write_bytes(b"half of it")
    assert newest_intact(folder) == folder / "last.ckpt"
    (folder / "last.ckpt").write_bytes(b"")
    assert newest_intact(folder) == folder / "last-1.ckpt"
    assert f"{folder / 'last.ckpt'} is damaged" in caplog.text
    (folder / "last-1.ckpt").unlink()  # as a kill between two renames leaves it
    assert newest_intact(folder) == folder / "last-2.ckpt"
    (folder / "last-2.ckpt").unlink()
    assert newest_intact(folder) == folder / "best.ckpt"
    (folder / "best.ckpt").unlink()
    assert newest_intact(folder) is None
    assert newest_intact(tmp_path / "nowhere") is None
