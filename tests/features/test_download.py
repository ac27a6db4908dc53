"""Where the weights come from: a given file, the cache, or a download."""

import hashlib
import re
import shlex
import socket
import threading
import urllib.error
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import compose_config, experiments

from sr.features import files
from sr.features.files import WeightsFile
from sr.features.imagenet import ImageNetFeatures
from sr.losses.perceptual import PerceptualLoss

WriteFile = Callable[..., Path]


def test_a_cached_file_is_used_without_a_download(vgg_file: WriteFile, hub: Path) -> None:
    hub.mkdir(parents=True)
    file = vgg_file(1).rename(hub / "vgg19-dcbb9e9d.pth")
    vgg = ImageNetFeatures(layers=["conv1_1"])
    expected = torch.load(file, weights_only=True)["features.0.bias"]
    assert torch.equal(vgg.state_dict()["features.0.bias"], expected)


def test_a_cached_file_without_checksums_is_compared_with_its_name(
    vgg_file: WriteFile, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As torchvision's own is, which is older than the archives that hold checksums."""
    hub.mkdir(parents=True)
    old = vgg_file(1, "old.pth")
    torch.save(torch.load(old, weights_only=True), old, _use_new_zipfile_serialization=False)
    name = f"vgg19-{hashlib.sha256(old.read_bytes()).hexdigest()[:8]}.pth"
    monkeypatch.setitem(files.FILES, "vgg19", WeightsFile("VGG19", name))
    cached = old.rename(hub / name)
    ImageNetFeatures(layers=["conv1_1"])
    data = bytearray(cached.read_bytes())
    data[-1000] ^= 1  # in a weight
    cached.write_bytes(data)
    with pytest.raises(ValueError, match=rf"VGG19 weights .*{name}: damaged, since its SHA-256 begins with"):
        ImageNetFeatures(layers=["conv1_1"])


def test_a_given_path_wins_over_the_cache(vgg_file: WriteFile, hub: Path) -> None:
    hub.mkdir(parents=True)
    vgg_file(2).rename(hub / "vgg19-dcbb9e9d.pth")
    given = vgg_file(1, "given.pth")
    vgg = ImageNetFeatures(layers=["conv1_1"], weights=str(given))
    expected = torch.load(given, weights_only=True)["features.0.bias"]
    assert torch.equal(vgg.state_dict()["features.0.bias"], expected)


def test_the_cache_is_found_without_torch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    for given in ({"TORCH_HOME": "~/torch"}, {"XDG_CACHE_HOME": str(tmp_path)}, {}):
        for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        assert files.FILES["vgg19"].cached().parent == Path(torch.hub.get_dir(), "checkpoints")


def test_an_empty_cache_downloads_with_the_hash_checked(
    vgg_file: WriteFile, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def download(url: str, **options: Any) -> dict[str, torch.Tensor]:
        calls.append((url, options))
        return torch.load(vgg_file(1), weights_only=True)

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", download)
    ImageNetFeatures(layers=["conv1_1"])
    ((url, options),) = calls
    assert url == "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
    assert options["check_hash"] is True
    assert options["weights_only"] is True
    assert options["map_location"] == "cpu"


def test_without_a_network_the_error_says_every_way_out(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*args: Any, **kwargs: Any) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", unreachable)
    with pytest.raises(FileNotFoundError) as caught:
        PerceptualLoss()
    message = str(caught.value)
    assert str(hub / "vgg19-dcbb9e9d.pth") in message
    assert "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth" in message
    assert "loss.perceptual.loss.weights=<path>" in message
    assert "'~loss.perceptual'" in message
    assert "Name or service not known" in message
    assert isinstance(caught.value.__cause__, urllib.error.URLError)


@pytest.mark.parametrize(
    "experiment",
    [pytest.param(name, marks=[pytest.mark.slow] * (name != "esrgan")) for name in experiments()],
)
def test_the_way_out_keeps_the_balance_in_every_experiment_with_this_loss(
    hub: Path, monkeypatch: pytest.MonkeyPatch, experiment: str
) -> None:
    def unreachable(*args: Any, **kwargs: Any) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", unreachable)
    with pytest.raises(FileNotFoundError) as caught:
        PerceptualLoss()
    (shown,) = re.findall(r"'~loss\.perceptual' [^()]*", str(caught.value))
    overrides = shlex.split(shown)
    assert overrides[2] == "model.gan_weight=1e-3"
    if "perceptual" in compose_config(f"experiment={experiment}").loss:
        cfg = compose_config(f"experiment={experiment}", *overrides)
        assert (list(cfg.loss), cfg.loss.l1.weight, cfg.model.gan_weight) == (["l1"], 1, 1e-3)


def test_a_server_that_never_answers_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr(files, "ANSWER", 0.1)
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the call, says nothing
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.pth"
        monkeypatch.setattr(WeightsFile, "url", url)
        with pytest.raises(FileNotFoundError, match=r"failed \(.*(timed out|no answer)"):
            ImageNetFeatures(layers=["conv1_1"])
    assert socket.getdefaulttimeout() is None


def test_a_name_that_is_looked_up_without_end_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = threading.Event()

    def look_up(*args: Any, **kwargs: Any) -> list[Any]:
        found.wait()
        raise socket.gaierror("over")

    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr(files, "ANSWER", 0.1)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(FileNotFoundError, match="no answer within 0 seconds"):
        ImageNetFeatures(layers=["conv1_1"])
    found.set()


@pytest.mark.parametrize("status", [403, 405])
def test_a_server_that_refuses_to_be_asked_is_tried_all_the_same(
    hub: Path, monkeypatch: pytest.MonkeyPatch, vgg_file: WriteFile, status: int
) -> None:
    def refuse(request: Any, timeout: float) -> None:
        raise urllib.error.HTTPError(request.full_url, status, "no", Message(), None)

    monkeypatch.undo()
    monkeypatch.setattr(torch.hub, "_hub_dir", str(hub))
    monkeypatch.setattr(files.urllib.request, "urlopen", refuse)
    monkeypatch.setattr(
        torch.hub,
        "load_state_dict_from_url",
        lambda *args, **options: torch.load(vgg_file(1), weights_only=True),
    )
    ImageNetFeatures(layers=["conv1_1"])


def test_a_download_is_kept_when_its_hash_fits_and_refused_when_not(
    vgg_file: WriteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    source = vgg_file(1)
    name = f"vgg19-{hashlib.sha256(source.read_bytes()).hexdigest()[:8]}.pth"
    monkeypatch.setattr(WeightsFile, "url", source.as_uri())

    monkeypatch.setitem(files.FILES, "vgg19", WeightsFile("VGG19", "vgg19-00000000.pth"))
    with pytest.raises(FileNotFoundError, match="invalid hash value"):
        ImageNetFeatures(layers=["conv1_1"])
    assert list((tmp_path / "hub" / "checkpoints").iterdir()) == []

    monkeypatch.setitem(files.FILES, "vgg19", WeightsFile("VGG19", name))
    ImageNetFeatures(layers=["conv1_1"])
    assert (tmp_path / "hub" / "checkpoints" / name).is_file()
