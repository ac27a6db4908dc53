"""What is damaged, made to fill the memory or to run code is refused by name, whatever the file is."""

import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from sr.ops.tensor_digest import sealed
from sr.ops.weight_file import (
    CheckpointError,
    UnsafeFileError,
    check_finite,
    check_name,
    read_weight_file,
)

Write = Callable[[Path], Path]


def tensors() -> dict[str, Tensor]:
    noise = torch.Generator().manual_seed(0)
    return {
        "conv.weight": torch.randn(16, 3, 3, 3, generator=noise),
        "conv.bias": torch.randn(16, generator=noise).half(),
        "count": torch.tensor(7),
        "last.weight": torch.randn(40, 50, generator=noise).bfloat16(),
    }


def write_pth(folder: Path) -> Path:
    torch.save({"params": tensors()}, folder / "a.pth")
    return folder / "a.pth"


def write_safetensors(folder: Path) -> Path:
    path = folder / "a.safetensors"
    path.write_bytes(sealed(tensors(), {"title": "a net", "sr_generator": "{}"}))
    return path


def same_tensors(content: dict[str, Any]) -> bool:
    found = content.get("params", content)
    expected = tensors()
    return found.keys() == expected.keys() and all(
        found[name].dtype == value.dtype and torch.equal(found[name], value)
        for name, value in expected.items()
    )


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("write", [write_pth, write_safetensors])
def test_a_flipped_bit_of_a_tensor_is_always_seen(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path)
    data = path.read_bytes()
    assert same_tensors(read_weight_file(path).content)
    rng = np.random.default_rng(0)
    for name in ("conv.weight", "last.weight"):
        stored = tensors()[name].view(torch.uint8).numpy().tobytes()
        start = data.index(stored)
        for bit in rng.choice(8 * len(stored), 50, replace=False):
            path.write_bytes(flipped(data, 8 * start + int(bit)))
            with pytest.raises(CheckpointError, match=r"a\.\w+: damaged, (the checksum|since its SHA-256)"):
                read_weight_file(path)


@pytest.mark.parametrize("write", [write_pth, write_safetensors])
def test_a_flipped_bit_anywhere_never_gives_other_tensors(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path)
    data = path.read_bytes()
    for bit in np.random.default_rng(1).choice(8 * len(data), 300, replace=False):
        path.write_bytes(flipped(data, int(bit)))
        try:
            content = read_weight_file(path).content
        except CheckpointError:
            continue
        assert same_tensors(content), (
            bit
        )  # it was in a name of metadata, or between the members of an archive


def test_the_digest_is_the_documented_one(tmp_path: Path) -> None:
    """Computed here as docs/export.md has it, from the bytes alone."""
    data = write_safetensors(tmp_path).read_bytes()
    size = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:size])
    metadata = header.pop("__metadata__")
    told = metadata.pop("sr_sha256")

    def line(content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode() + b"\n"

    digest = hashlib.sha256(line(sorted(metadata.items())))
    for name in sorted(header):
        start, end = header[name]["data_offsets"]
        entry = [name, header[name]["dtype"], header[name]["shape"]]
        digest.update(line(entry) + data[size + start : size + end])
    assert digest.hexdigest() == told


def test_a_file_with_a_digest_has_its_metadata_in_order(tmp_path: Path) -> None:
    """The library's own order is another one in each process."""
    tensors = {"b": torch.ones(3), "a": torch.zeros(2, 2, dtype=torch.float16)}
    metadata = {key: f"{key}é" for key in "hgfedcba"}
    content = sealed(tensors, metadata)
    length = int.from_bytes(content[:8], "little")
    assert list(json.loads(content[8 : 8 + length])["__metadata__"]) == [*"abcdefgh", "sr_sha256"]
    assert length % 8 == 0
    (tmp_path / "a.safetensors").write_bytes(content)
    found = read_weight_file(tmp_path / "a.safetensors")
    assert found.checksum == "SHA-256"
    assert {key: found.metadata[key] for key in metadata} == metadata
    assert all(torch.equal(found.content[key], value) for key, value in tensors.items())


def test_what_vouches_for_a_file_is_told(tmp_path: Path) -> None:
    assert read_weight_file(write_pth(tmp_path)).checksum == "CRC-32"
    assert read_weight_file(write_safetensors(tmp_path)).checksum == "SHA-256"
    torch.save(tensors(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    save_file(tensors(), tmp_path / "foreign.safetensors")
    for name in ("old.pth", "foreign.safetensors"):
        assert read_weight_file(tmp_path / name).checksum is None


def test_an_archive_that_unpacks_to_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", pickle.dumps({}, protocol=2))
        with archive.open("bomb/data/0", "w") as member:
            for _ in range(64):
                member.write(bytes(2**20))
    with pytest.raises(CheckpointError, match=r"refused, since bomb/data\.pkl in it is compressed"):
        read_weight_file(tmp_path / "bomb.pth")


def test_an_archive_whose_members_share_their_bytes_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w") as archive:
        archive.writestr("bomb/data.pkl", bytes(2**16))
        archive.filelist += archive.filelist * 1000
    with pytest.raises(CheckpointError, match="its content claims to be larger than the file"):
        read_weight_file(tmp_path / "bomb.pth")


def endless() -> dict[str, Any]:
    table: dict[str, Any] = {}
    table["config"] = {"generator": [table]}
    return table


def branching() -> list[Any]:
    table: list[Any] = []
    for _ in range(60):
        table = [table] * 10  # ten to the sixtieth entries, in a file of a few kilobytes
    return table


@pytest.mark.parametrize("make", [endless, branching])
def test_a_table_without_an_end_is_refused(tmp_path: Path, make: Callable[[], Any]) -> None:
    torch.save({"params": tensors(), "rest": make()}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="refers to itself, or to others without an end"):
        read_weight_file(tmp_path / "a.pth")


def test_tensors_that_claim_more_than_the_file_holds_are_refused(tmp_path: Path) -> None:
    for claim in (torch.zeros(1).expand(10**6, 10**6), [torch.zeros(1).expand(2**20)] * 100):
        torch.save({"weight": claim}, tmp_path / "a.pth")
        with pytest.raises(CheckpointError, match="its tensors claim more than 256 MiB, the file has 0"):
            read_weight_file(tmp_path / "a.pth")
    shared = torch.zeros(1).expand(1000, 1000)  # of an honest size
    torch.save({"weight": shared}, tmp_path / "a.pth")
    assert torch.equal(read_weight_file(tmp_path / "a.pth").content["weight"], shared)


def test_tensors_without_plain_values_are_refused(tmp_path: Path) -> None:
    for value in (torch.eye(3).to_sparse(), torch.zeros(10**9, 10**9, device="meta")):
        torch.save({"weight": value}, tmp_path / "a.pth")
        with pytest.raises(CheckpointError, match="not plain values"):
            read_weight_file(tmp_path / "a.pth")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_values_that_are_not_finite_are_named(dtype: torch.dtype, value: float) -> None:
    good = {"fine": torch.ones(2), "empty": torch.zeros(0), "count": torch.tensor(3)}
    check_finite(good, path=Path("a.pth"))
    bad = torch.zeros(4, 5, dtype=dtype)
    bad[1, 2] = bad[3, 3] = value
    with pytest.raises(CheckpointError, match=r"a\.pth: conv\.bias has 2 of 20 values that are not finite"):
        check_finite({**good, "conv.bias": bad}, path=Path("a.pth"))


def test_a_name_that_ends_with_a_hash_is_compared_with_it(tmp_path: Path) -> None:
    plain, good, bad = (
        tmp_path / "vgg19.pth",
        tmp_path / "vgg19-2cf24dba.pth",
        tmp_path / "vgg19-2cf24dbb.pth",
    )
    for path in (plain, good, bad):
        path.write_bytes(b"hello")  # whose SHA-256 is 2cf24dba5fb0a30e...
    check_name(plain)
    check_name(good)
    with pytest.raises(CheckpointError, match=r"its SHA-256 begins with 2cf24dba and not as its name ends"):
        check_name(bad)


class Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("ran"),))


def archive_of(data: bytes) -> bytes:
    """As torch.save would write it, but with a pickle of another kind."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in (("data.pkl", data), ("version", b"3\n"), ("byteorder", b"little")):
            archive.writestr(f"a/{name}", content)
    return buffer.getvalue()


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("wrap", [bytes, archive_of])
def test_code_is_called_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrap: Callable[[bytes], bytes], protocol: int
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.pth").write_bytes(wrap(pickle.dumps({"a": Payload()}, protocol=protocol)))
    with pytest.raises(UnsafeFileError, match=r"refused.*(run code|run any code)") as caught:
        read_weight_file(tmp_path / "a.pth")
    assert "weights_only" not in str(caught.value)
    assert not (tmp_path / "ran").exists()
