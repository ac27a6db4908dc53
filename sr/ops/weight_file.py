"""Reading files of weights: no code in them is run, checksums are verified, and memory is bounded by the file."""

import hashlib
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from sr.ops.tensor_digest import DIGEST_KEY, tensor_digest

SAFETENSORS = ".safetensors"
ARCHIVE = b"PK\x03\x04"  # the first bytes of a file of torch.save since 2020
DEEPEST = 100  # depth of tables inside tables, which a file that refers to itself exceeds
MOST_ENTRIES = 1_000_000
# Tensors may share storage. The tensors of a small file may claim this many bytes, those of a large file this many
# times its size; a file that claims more was made to fill the memory.
MOST_CLAIMED, MOST_SHARED = 2**28, 4


class CheckpointError(ValueError):
    """A file that is not a checkpoint, is damaged or truncated, would run code, or does not fit."""


class UnsafeFileError(CheckpointError):
    """Reading the file would run code."""


@dataclass(frozen=True)
class WeightFile:
    """The content of a file of weights.

    Attributes:
        content: the object that torch.save was given, or the tensors of a safetensors file by name.
        checksum: the kind of checksum that was verified, or None where the file has none: pickles from before 2020
            and safetensors of other tools.
        metadata: the metadata of a safetensors file; empty for others.
    """

    content: Any
    checksum: str | None
    metadata: Mapping[str, str] = field(default_factory=dict)


def read_weight_file(path: Path, *, mmap: bool = False) -> WeightFile:
    """Read a safetensors file (recognised by the suffix) or a file of torch.save, on the CPU.

    Args:
        path: the file.
        mmap: whether the tensors stay in the file until they are used.

    Raises:
        FileNotFoundError: the file does not exist.
        CheckpointError: it is something else, is damaged or truncated, or needs more memory than its size explains.
        UnsafeFileError: reading it would run code.
    """
    if not path.is_file():
        wrong = "is a folder: name a file" if path.is_dir() else "does not exist"
        raise FileNotFoundError(f"checkpoint {path} {wrong}")
    try:
        found = _read_safetensors(path) if path.suffix == SAFETENSORS else _read_torch(path, mmap=mmap)
    except CheckpointError:
        raise
    except Exception as error:  # torch, safetensors and zipfile raise errors of any kind for broken bytes
        raise _explained(path, error) from error
    _check_claims(path, found.content)
    return found


def check_finite(tensors: Mapping[str, Tensor], *, path: Path) -> None:
    """Raises CheckpointError with the name of the first tensor that holds NaN or infinity."""
    for name, value in tensors.items():
        if value.is_floating_point() and value.numel():
            # float8 has no minimum function.
            lowest, highest = (value.float() if value.element_size() == 1 else value).aminmax()
            if not (lowest.isfinite() and highest.isfinite()):
                bad = value.numel() - int(value.float().isfinite().sum())
                raise CheckpointError(
                    f"{path}: {name} has {bad} of {value.numel()} values that are not finite"
                )


def check_name(path: Path) -> None:
    """Raises CheckpointError if the name ends, as in torch's hub, with another SHA-256 than that of the file."""
    found = re.fullmatch(r".*-([0-9a-f]{8,64})", path.stem)
    if found is None:
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(found[1]):
        raise CheckpointError(
            f"{path}: damaged, since its SHA-256 begins with {digest[: len(found[1])]} and not as its name ends:"
            " remove it, so that it is fetched again"
        )


def is_archive(path: Path) -> bool:
    """Whether the file is an archive of torch.save, which holds a checksum of every tensor."""
    with path.open("rb") as file:
        return file.read(len(ARCHIVE)) == ARCHIVE


def _read_safetensors(path: Path) -> WeightFile:
    with safe_open(
        path, framework="pt"
    ) as file:  # raises when the header does not describe the file to the byte
        metadata = file.metadata() or {}
    digest = metadata.get(DIGEST_KEY)
    if digest is not None:
        with path.open("rb") as content:
            if tensor_digest(content) != digest:
                raise CheckpointError(
                    f"{path}: damaged, since its SHA-256 does not match the one that it holds"
                )
    return WeightFile(load_file(path), checksum="SHA-256" if digest else None, metadata=metadata)


def _read_torch(path: Path, *, mmap: bool) -> WeightFile:
    archive = is_archive(path)
    if archive:
        _check_archive(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the file is refused next
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap and archive)
    return WeightFile(content, checksum="CRC-32" if archive else None)


def _check_archive(path: Path) -> None:
    """Verify the checksum and the size of every member, which torch does not do."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if any(each.filename.endswith("/constants.pkl") for each in members):
            raise CheckpointError(
                f"{path}: a TorchScript program, which holds code; take the weights it was made from"
            )
        packed = [each.filename for each in members if each.compress_type != zipfile.ZIP_STORED]
        if packed:
            raise CheckpointError(
                f"{path}: refused, since {packed[0]} in it is compressed, which torch.save never does: it may unpack to"
                " any size"
            )
        if sum(each.file_size for each in members) > path.stat().st_size:
            raise CheckpointError(f"{path}: refused, since its content claims to be larger than the file")
        if damaged := archive.testzip():
            raise CheckpointError(f"{path}: damaged, the checksum of {damaged} in it does not match")


def _explained(path: Path, error: Exception) -> CheckpointError:
    """An error in our words; torch advises to load the file in a way that would run its code."""
    text = str(error)
    if code := re.search(r"GLOBAL ([\w.]+) (?:was not|whose)", text):
        return UnsafeFileError(f"{path}: refused, since reading it would run code ({code[1]})")
    if "Unsupported operand" in text and (is_archive(path) or _is_pickle(path)):
        return UnsafeFileError(
            f"{path}: refused unread: a pickle that torch.save has not written could run any code"
        )
    return CheckpointError(f"{path}: no checkpoint, or a damaged or truncated one")


def _is_pickle(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1) == b"\x80"  # the opcode of the pickle protocol


def _check_claims(path: Path, content: Any) -> None:
    """Check the sizes that tensors claim, before anything walks through the content or computes with it."""
    allowed = max(MOST_CLAIMED, MOST_SHARED * path.stat().st_size)
    claimed = 0
    for value in _tensors(path, content):
        if value.layout != torch.strided or value.device.type != "cpu":
            raise CheckpointError(
                f"{path}: has a tensor that is {value.layout} on {value.device}, not plain values"
            )
        claimed += value.numel() * value.element_size()
        if claimed > allowed:
            raise CheckpointError(
                f"{path}: refused, since its tensors claim more than {allowed / 2**20:,.0f} MiB, the file has"
                f" {path.stat().st_size / 2**20:,.1f}"
            )


def _tensors(path: Path, content: Any) -> Iterator[Tensor]:
    waiting: list[tuple[int, Any]] = [(0, content)]
    for _ in range(MOST_ENTRIES):
        if not waiting:
            return
        depth, value = waiting.pop()
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, Mapping | list | tuple | set):
            if depth == DEEPEST:
                break
            inside: Iterable[Any] = value.values() if isinstance(value, Mapping) else value
            waiting += [(depth + 1, each) for each in inside]
    raise CheckpointError(
        f"{path}: refused, since a table in it refers to itself, or to others without an end"
    )
