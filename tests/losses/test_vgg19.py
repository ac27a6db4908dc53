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
import torch.nn.functional as F
from helpers import compose_config, experiments

from sr.losses import vgg19
from sr.losses.vgg19 import LAYERS, VGG19Features

torch.set_num_threads(1)

WriteFile = Callable[..., Path]


def reference(file: Path, image: torch.Tensor) -> dict[str, torch.Tensor]:
    """Every convolution's output, from the key names alone: convolve, keep, rectify; halve where a position
    is skipped."""
    state = torch.load(file, weights_only=True)
    value = (image - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor(
        [0.229, 0.224, 0.225]
    )[:, None, None]
    outputs, block, number, previous = {}, 1, 0, -2
    for position in sorted(
        int(key.split(".")[1]) for key in state if key.startswith("features") and "bias" in key
    ):
        if position - previous == 3:
            value, block, number = F.max_pool2d(value, 2, 2), block + 1, 0
        number, previous = number + 1, position
        weight, bias = state[f"features.{position}.weight"], state[f"features.{position}.bias"]
        value = F.conv2d(value, weight, bias, padding=1)
        outputs[f"conv{block}_{number}"] = value
        value = value.clamp(min=0)
    return outputs


def test_names_are_torchvision_positions() -> None:
    positions = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    names = ["conv1_1", "conv1_2", "conv2_1", "conv2_2"]
    names += [f"conv{block}_{number}" for block in (3, 4, 5) for number in (1, 2, 3, 4)]
    assert dict(zip(names, positions, strict=True)) == LAYERS


def test_all_sixteen_features_equal_an_independent_computation(vgg_file: WriteFile) -> None:
    file = vgg_file(16)
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    features, expected = VGG19Features(layers=LAYERS, weights=str(file))(image), reference(file, image)
    assert list(features) == list(expected)
    for name, value in expected.items():
        assert value.std() > 0.03, "the comparison would be empty"
        torch.testing.assert_close(features[name], value, rtol=1e-4, atol=1e-5)


def test_features_are_taken_before_the_activation_and_not_overwritten_after(vgg_file: WriteFile) -> None:
    image = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    features = VGG19Features(layers=["conv2_1", "conv1_1", "conv1_2"], weights=str(vgg_file(3)))(image)
    assert {name: tuple(value.shape) for name, value in features.items()} == {
        "conv1_1": (2, 64, 8, 8),
        "conv1_2": (2, 64, 8, 8),
        "conv2_1": (2, 128, 4, 4),
    }
    for value in features.values():
        assert 0.2 < (value < 0).float().mean() < 0.8


def test_the_net_ends_at_the_deepest_layer_and_is_frozen(vgg_file: WriteFile) -> None:
    vgg = VGG19Features(layers=["conv1_2", "conv2_1"], weights=str(vgg_file(16)))
    assert list(vgg.state_dict()) == [
        f"features.{position}.{kind}" for position in (0, 2, 5) for kind in ("weight", "bias")
    ]
    assert not vgg.training
    assert not any(parameter.requires_grad for parameter in vgg.parameters())


def test_building_it_draws_no_random_numbers(vgg_file: WriteFile) -> None:
    file = vgg_file(2)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    VGG19Features(layers=["conv1_2"], weights=str(file))
    assert torch.equal(torch.get_rng_state(), before)


def test_half_precision_files_become_float32(vgg_file: WriteFile, tmp_path: Path) -> None:
    state = torch.load(vgg_file(1), weights_only=True)
    torch.save({key: value.half() for key, value in state.items()}, tmp_path / "half.pth")
    vgg = VGG19Features(layers=["conv1_1"], weights=str(tmp_path / "half.pth"))
    assert vgg.state_dict()["features.0.weight"].dtype == torch.float32


@pytest.mark.parametrize("layers", [[], ["conv1_1", "relu5_4"], ["conv1_3"]])
def test_unknown_layers_are_refused_with_the_choices(layers: list[str]) -> None:
    with pytest.raises(ValueError, match=r"conv1_1, conv1_2, conv2_1, .*conv5_4") as caught:
        VGG19Features(layers=layers)
    assert str(layers) in str(caught.value)


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (1, 4, 8, 8), (3, 8, 8)])
def test_images_must_be_rgb_batches(vgg_file: WriteFile, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="needs RGB"):
        VGG19Features(layers=["conv1_1"], weights=str(vgg_file(1)))(torch.zeros(shape))


def test_images_too_small_for_the_deepest_layer_are_refused(vgg_file: WriteFile) -> None:
    vgg = VGG19Features(layers=["conv3_1"], weights=str(vgg_file(5)))  # behind two poolings: 4 pixels
    assert vgg(torch.zeros(1, 3, 4, 5))["conv3_1"].shape == (1, 256, 1, 1)
    with pytest.raises(ValueError, match=r"3x9 pixels are too small for VGG19's conv3_1: .* at least 4x4"):
        vgg(torch.zeros(1, 3, 3, 9))


# Where the weights come from.


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty torch hub cache; whatever would download, fails the test."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)

    def refuse(*args: Any, **kwargs: Any) -> None:
        pytest.fail(f"would download {args}")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    monkeypatch.setattr(vgg19, "_wait_for_answer", lambda url: None)
    return tmp_path / "torch" / "hub" / "checkpoints"


def test_a_cached_file_is_used_without_a_download(vgg_file: WriteFile, hub: Path) -> None:
    hub.mkdir(parents=True)
    file = vgg_file(1).rename(hub / "vgg19-dcbb9e9d.pth")
    vgg = VGG19Features(layers=["conv1_1"])
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
    monkeypatch.setattr(vgg19, "WEIGHTS_FILE", name)
    cached = old.rename(hub / name)
    VGG19Features(layers=["conv1_1"])
    data = bytearray(cached.read_bytes())
    data[-1000] ^= 1  # in a weight
    cached.write_bytes(data)
    with pytest.raises(ValueError, match=rf"VGG19 weights .*{name}: damaged, since its SHA-256 begins with"):
        VGG19Features(layers=["conv1_1"])


def test_a_weight_that_is_no_number_is_named(vgg_file: WriteFile) -> None:
    file = vgg_file(1)
    state = torch.load(file, weights_only=True)
    state["features.0.bias"][3] = torch.nan
    torch.save(state, file)
    with pytest.raises(
        ValueError, match=r"VGG19 weights .*features\.0\.bias has 1 of 64 values that are not"
    ):
        VGG19Features(layers=["conv1_1"], weights=str(file))


def test_a_given_path_wins_over_the_cache(vgg_file: WriteFile, hub: Path) -> None:
    hub.mkdir(parents=True)
    vgg_file(2).rename(hub / "vgg19-dcbb9e9d.pth")
    given = vgg_file(1, "given.pth")
    vgg = VGG19Features(layers=["conv1_1"], weights=str(given))
    expected = torch.load(given, weights_only=True)["features.0.bias"]
    assert torch.equal(vgg.state_dict()["features.0.bias"], expected)


def test_an_empty_cache_downloads_with_the_hash_checked(
    vgg_file: WriteFile, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def download(url: str, **options: Any) -> dict[str, torch.Tensor]:
        calls.append((url, options))
        return torch.load(vgg_file(1), weights_only=True)

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", download)
    VGG19Features(layers=["conv1_1"])
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
        VGG19Features(layers=["conv1_1"])
    message = str(caught.value)
    assert str(hub / "vgg19-dcbb9e9d.pth") in message
    assert "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth" in message
    assert "loss.perceptual.loss.weights=<path>" in message
    assert "'~loss.perceptual'" in message
    assert "Name or service not known" in message
    assert isinstance(caught.value.__cause__, urllib.error.URLError)


def test_the_way_out_keeps_the_balance_in_every_experiment_with_this_loss(
    hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*args: Any, **kwargs: Any) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", unreachable)
    with pytest.raises(FileNotFoundError) as caught:
        VGG19Features(layers=["conv1_1"])
    (shown,) = re.findall(r"'~loss\.perceptual' [^()]*", str(caught.value))
    overrides = shlex.split(shown)
    assert overrides[2] == "model.gan_weight=1e-3"
    for experiment in experiments():
        if "perceptual" in compose_config(f"experiment={experiment}").loss:
            cfg = compose_config(f"experiment={experiment}", *overrides)
            assert (list(cfg.loss), cfg.loss.l1.weight, cfg.model.gan_weight) == (["l1"], 1, 1e-3)


def test_a_server_that_never_answers_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr(vgg19, "ANSWER", 0.1)
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the call, says nothing
        monkeypatch.setattr(vgg19, "WEIGHTS_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/x.pth")
        with pytest.raises(FileNotFoundError, match=r"failed \(.*(timed out|no answer)"):
            VGG19Features(layers=["conv1_1"])
    assert socket.getdefaulttimeout() is None


def test_a_name_that_is_looked_up_without_end_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = threading.Event()

    def look_up(*args: Any, **kwargs: Any) -> list[Any]:
        found.wait()
        raise socket.gaierror("over")

    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr(vgg19, "ANSWER", 0.1)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(FileNotFoundError, match="no answer within 0 seconds"):
        VGG19Features(layers=["conv1_1"])
    found.set()


@pytest.mark.parametrize("status", [403, 405])
def test_a_server_that_refuses_to_be_asked_is_tried_all_the_same(
    hub: Path, monkeypatch: pytest.MonkeyPatch, vgg_file: WriteFile, status: int
) -> None:
    def refuse(request: Any, timeout: float) -> None:
        raise urllib.error.HTTPError(request.full_url, status, "no", Message(), None)

    monkeypatch.undo()
    monkeypatch.setattr(torch.hub, "_hub_dir", str(hub))
    monkeypatch.setattr(vgg19.urllib.request, "urlopen", refuse)
    monkeypatch.setattr(
        torch.hub,
        "load_state_dict_from_url",
        lambda *args, **options: torch.load(vgg_file(1), weights_only=True),
    )
    VGG19Features(layers=["conv1_1"])


def test_a_download_is_kept_when_its_hash_fits_and_refused_when_not(
    vgg_file: WriteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    source = vgg_file(1)
    name = f"vgg19-{hashlib.sha256(source.read_bytes()).hexdigest()[:8]}.pth"
    monkeypatch.setattr(vgg19, "WEIGHTS_URL", source.as_uri())

    monkeypatch.setattr(vgg19, "WEIGHTS_FILE", "vgg19-00000000.pth")
    with pytest.raises(FileNotFoundError, match="invalid hash value"):
        VGG19Features(layers=["conv1_1"])
    assert list((tmp_path / "hub" / "checkpoints").iterdir()) == []

    monkeypatch.setattr(vgg19, "WEIGHTS_FILE", name)
    VGG19Features(layers=["conv1_1"])
    assert (tmp_path / "hub" / "checkpoints" / name).is_file()


# Files that do not fit.


def test_a_given_path_that_does_not_exist(tmp_path: Path, hub: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"loss\.perceptual\.loss\.weights.*nowhere\.pth"):
        VGG19Features(layers=["conv1_1"], weights=str(tmp_path / "nowhere.pth"))
    with pytest.raises(
        FileNotFoundError, match=r"loss\.perceptual\.loss\.weights.* is a folder: name a file"
    ):
        VGG19Features(layers=["conv1_1"], weights=str(tmp_path))


@pytest.mark.parametrize(
    "content", [b"", b"<html>404</html>", b"PK\x03\x04 cut short"], ids=["empty", "html", "zip"]
)
def test_a_file_that_is_not_torchs(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "page.pth"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"VGG19 weights .*page\.pth: no checkpoint, or a damaged") as caught:
        VGG19Features(layers=["conv1_1"], weights=str(file))
    assert caught.value.__cause__ is not None


def test_a_file_that_runs_code_is_not_run(tmp_path: Path) -> None:
    class Touch:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"features.0.weight": Touch()}, tmp_path / "bad.pth")
    with pytest.raises(
        ValueError, match=r"VGG19 weights .*bad\.pth: refused, since reading it would run code"
    ):
        VGG19Features(layers=["conv1_1"], weights=str(tmp_path / "bad.pth"))
    assert not (tmp_path / "ran").exists()


def test_a_file_with_a_missing_key(vgg_file: WriteFile) -> None:
    with pytest.raises(ValueError, match=r"vgg\.pth: key features\.2\.weight is missing.*\(64, 64, 3, 3\)"):
        VGG19Features(layers=["conv1_2"], weights=str(vgg_file(1)))


def test_a_file_with_a_key_of_another_shape(vgg_file: WriteFile) -> None:
    file = vgg_file(1)
    state = torch.load(file, weights_only=True)
    torch.save(state | {"features.0.bias": torch.zeros(32)}, file)
    with pytest.raises(
        ValueError, match=r"vgg\.pth: key features\.0\.bias has shape \(32,\), expected \(64,\)"
    ):
        VGG19Features(layers=["conv1_1"], weights=str(file))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "expected a dict of tensors, found a list"),
        ({"features.0.weight": 3}, r"features\.0\.weight is a int"),
    ],
)
def test_a_file_with_something_else_in_it(tmp_path: Path, content: Any, message: str) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=rf"other\.pth.*{message}"):
        VGG19Features(layers=["conv1_1"], weights=str(tmp_path / "other.pth"))
