"""Weights of the ImageNet nets: from a given file, the torch hub cache, or a download, and checked for fit."""

import http.client
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sr.features import files
from sr.features.files import WeightsFile
from sr.ops.paths import why_no_file
from sr.ops.weight_file import CheckpointError, check_finite, check_name, read_weight_file

STALL = 30.0  # seconds without a byte after which a download is given up


def find_weights(
    file: WeightsFile, given: str | None, *, like: Mapping[str, Tensor], key: str, otherwise: str
) -> dict[str, Tensor]:
    """The tensors of a file under the keys of `like`, in float32; other keys of the file are ignored.

    Args:
        file: the file of the net in the torch hub cache.
        given: a path that is read in place of the cache; None takes the cache, which is filled by a download.
        like: the parameters that the weights are for; their values are not looked at.
        key: the key of the configuration that takes `given`, for messages.
        otherwise: the way to do without the weights, for messages.

    Raises:
        ValueError: a file is damaged, would run code, or does not hold these weights.
        FileNotFoundError: there is no file and none can be downloaded.
    """
    path, found = _read(file, given, key=key, otherwise=otherwise)
    return _select(found, like=like, name=f"{file.title} weights {path}", path=path)


def _read(file: WeightsFile, given: str | None, *, key: str, otherwise: str) -> tuple[Path, Any]:
    """The path and the content of the given file, else of the cached one, else of the download."""
    cached = Path(torch.hub.get_dir(), "checkpoints", file.name)
    if given is None and not cached.is_file():
        return cached, _download(file, cached, key=key, otherwise=otherwise)
    path = cached if given is None else Path(given).expanduser()
    if wrong := why_no_file(path):
        raise FileNotFoundError(f"{file.title} weights ({key}): {path} {wrong}: name a file")
    try:
        content = read_weight_file(path)
        if content.checksum is None:  # as in torchvision's own file, which is older than checksums
            check_name(path)
    except CheckpointError as error:
        raise ValueError(f"{file.title} weights {error}") from error
    return path, content.content


def _download(file: WeightsFile, cached: Path, *, key: str, otherwise: str) -> Any:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALL)  # torch.hub would wait without end
    try:
        files.wait_for_answer(file.url)
        return torch.hub.load_state_dict_from_url(
            file.url, map_location="cpu", check_hash=True, weights_only=True, file_name=file.name
        )
    except (OSError, http.client.HTTPException, RuntimeError) as error:  # no network, no room, a wrong hash
        raise FileNotFoundError(file.without(cached, error, key=key, otherwise=otherwise)) from error
    finally:
        socket.setdefaulttimeout(before)


def _select(found: Any, *, like: Mapping[str, Tensor], name: str, path: Path) -> dict[str, Tensor]:
    """ValueError for the first tensor that does not fit."""
    if not isinstance(found, Mapping):
        raise ValueError(f"{name}: expected a dict of tensors, found a {type(found).__name__}")
    selected: dict[str, Tensor] = {}
    for key, parameter in like.items():
        value = found.get(key)
        expected = tuple(parameter.shape)
        if not isinstance(value, Tensor):
            state = f"is a {type(value).__name__}" if key in found else "is missing"
            raise ValueError(f"{name}: key {key} {state}, expected a tensor of shape {expected}")
        if tuple(value.shape) != expected:
            raise ValueError(f"{name}: key {key} has shape {tuple(value.shape)}, expected {expected}")
        selected[key] = value.to(torch.float32).contiguous()
    try:
        check_finite(selected, path=path)
    except CheckpointError as error:
        raise ValueError(f"{name.removesuffix(str(path))}{error}") from error
    return selected
