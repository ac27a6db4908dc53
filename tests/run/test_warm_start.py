"""Which net starts from which file, and what is said about a file that does not fit."""

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sr.archs.patch_disc import PatchDiscriminator
from sr.archs.rrdbnet import RRDBNet
from sr.archs.srvgg import SRVGGNetCompact
from sr.archs.unet_disc import UNetDiscriminator
from sr.ops.weight_file import CheckpointError
from sr.run.warm_start import warm_start


def generator(seed: int) -> RRDBNet:
    torch.manual_seed(seed)
    return RRDBNet(num_feat=8, num_block=1, num_grow_ch=4)


def discriminator(seed: int) -> UNetDiscriminator:
    torch.manual_seed(seed)
    return UNetDiscriminator(num_feat=4)


def young(**changes: Any) -> SimpleNamespace:
    nets = {"generator": generator(0), "generator_ema": generator(0), "discriminator": discriminator(0)}
    return SimpleNamespace(**nets | changes)


def start(model: Any, *, g: Path | None = None, d: Path | None = None, strict: bool = True) -> None:
    files = {"init_from": g, "init_discriminator_from": d}
    paths = {key: str(file) if file else None for key, file in files.items()}
    warm_start(model, generator={}, init_strict=strict, **paths)


def save(path: Path, net: nn.Module, *, key: str | None = None) -> Path:
    weights = net.state_dict()
    torch.save({key: weights} if key else weights, path)
    return path


def save_ours(path: Path, *, average: nn.Module, judge: nn.Module | None = None) -> Path:
    """A training checkpoint whose last generator is not its average."""
    nets = {"generator": generator(9), "generator_ema": average} | ({"discriminator": judge} if judge else {})
    state = {f"{name}.{key}": value for name, net in nets.items() for key, value in net.state_dict().items()}
    torch.save({"state_dict": state}, path)
    return path


def equal(net: nn.Module, other: nn.Module) -> bool:
    weights: dict[str, Tensor] = other.state_dict()
    return all(torch.equal(value, weights[key]) for key, value in net.state_dict().items())


def test_without_a_file_nothing_changes() -> None:
    model = young()
    start(model)
    assert equal(model.generator, generator(0))
    assert equal(model.discriminator, discriminator(0))


@pytest.mark.parametrize("key", ["params_ema", "params", None])
def test_one_file_for_each_net(tmp_path: Path, key: str | None) -> None:
    model = young()
    g, d = (
        save(tmp_path / "g.pth", generator(1), key=key),
        save(tmp_path / "d.pth", discriminator(2), key=key),
    )
    start(model, g=g, d=d)
    assert equal(model.generator, generator(1))
    assert equal(model.generator_ema, generator(1))
    assert equal(model.discriminator, discriminator(2))


def test_the_discriminator_alone(tmp_path: Path) -> None:
    model = young()
    start(model, d=save(tmp_path / "d.pth", discriminator(2), key="params"))
    assert equal(model.generator, generator(0))
    assert equal(model.discriminator, discriminator(2))


def test_our_checkpoint_gives_its_average_and_its_discriminator_to_either_key(tmp_path: Path) -> None:
    ours = save_ours(tmp_path / "a.ckpt", average=generator(1), judge=discriminator(1))
    model = young()
    start(model, g=ours)
    assert equal(model.generator, generator(1))
    assert equal(model.discriminator, discriminator(1))
    model = young()
    start(model, d=ours)
    assert equal(model.generator, generator(0))
    assert equal(model.discriminator, discriminator(1))


def test_the_discriminator_that_was_asked_for_wins(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ours = save_ours(tmp_path / "a.ckpt", average=generator(1), judge=PatchDiscriminator(num_feat=4))
    model = young()
    with caplog.at_level(logging.INFO):
        start(model, g=ours, d=save(tmp_path / "d.pth", discriminator(2)))
    assert equal(model.generator, generator(1))
    assert equal(model.discriminator, discriminator(2))
    assert "from scratch" not in caplog.text  # of the one in init_from nothing is tried


def test_a_discriminator_beside_the_generator_may_be_of_another_kind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours = save_ours(tmp_path / "a.ckpt", average=generator(1), judge=PatchDiscriminator(num_feat=4))
    model = young()
    start(model, g=ours)
    assert equal(model.generator, generator(1))
    assert equal(model.discriminator, discriminator(0))
    assert "discriminator starts from scratch" in caplog.text


def test_a_file_that_does_not_fit_is_named_with_its_key(tmp_path: Path) -> None:
    other = save(tmp_path / "other.pth", PatchDiscriminator(num_feat=4))
    psnr = save_ours(tmp_path / "psnr.ckpt", average=generator(1))
    wide = save(tmp_path / "wide.pth", UNetDiscriminator(num_feat=8))
    for file, found in (
        (other, "missing conv0.weight"),
        (psnr, "not known conv_first.weight"),
        (wide, r"conv0\.weight is \(8, 3, 3, 3\), expected \(4, 3, 3, 3\)"),
    ):
        model = young()
        with pytest.raises(
            CheckpointError,
            match=rf"init_discriminator_from: {file}.*configured UNetDiscriminator: .*{found}",
        ):
            start(model, d=file)
        assert equal(model.discriminator, discriminator(0))
    with pytest.raises(CheckpointError, match=rf"init_from: {wide}.*configured RRDBNet"):
        start(young(), g=wide)


@pytest.mark.parametrize(("argument", "key"), [("g", "init_from"), ("d", "init_discriminator_from")])
def test_a_file_that_is_not_there_is_named_with_its_key(tmp_path: Path, argument: str, key: str) -> None:
    with pytest.raises(FileNotFoundError, match=rf"{key}: checkpoint {tmp_path}/none\.pth does not exist"):
        start(young(), **{argument: tmp_path / "none.pth"})


def test_a_model_without_a_discriminator_takes_none(tmp_path: Path) -> None:
    model = SimpleNamespace(generator=generator(0), generator_ema=generator(0))
    with pytest.raises(ValueError, match=r"init_discriminator_from=.*d\.pth: .* no discriminator; model=gan"):
        start(model, d=save(tmp_path / "d.pth", discriminator(2)))
    start(model, g=save_ours(tmp_path / "a.ckpt", average=generator(1), judge=discriminator(1)))
    assert equal(model.generator, generator(1))


def differing(net: nn.Module, other: nn.Module) -> set[str]:
    weights = other.state_dict()
    return {
        key
        for key, value in net.state_dict().items()
        if key not in weights or value.shape != weights[key].shape or not torch.equal(value, weights[key])
    }


def scaled(scale: int, seed: int) -> RRDBNet:
    torch.manual_seed(seed)
    return RRDBNet(scale=scale, num_feat=8, num_block=1, num_grow_ch=4)


def test_across_scales_all_but_the_first_convolution_matches(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    x4 = save(tmp_path / "x4.pth", scaled(4, 1), key="params_ema")
    model = young(generator=scaled(2, 0), generator_ema=scaled(2, 5))
    with pytest.raises(CheckpointError, match=r"init_from: .*; init_strict=false takes the 41 that match"):
        start(model, g=x4)
    assert equal(model.generator, scaled(2, 0))  # nothing was taken
    with caplog.at_level(logging.INFO):
        start(model, g=x4, strict=False)
    assert differing(model.generator, scaled(4, 1)) == {"conv_first.weight"}
    assert torch.equal(model.generator.conv_first.weight, scaled(2, 0).conv_first.weight)
    assert equal(model.generator_ema, model.generator)  # the average starts where the net does
    assert "41 of its 42 tensors match, the others start at random" in caplog.text
    assert "conv_first.weight is (8, 3, 3, 3), expected (8, 12, 3, 3)" in caplog.text


def test_across_scales_a_compact_net_keeps_all_but_its_last_layer(tmp_path: Path) -> None:
    torch.manual_seed(1)
    x2 = SRVGGNetCompact(scale=2, num_feat=8, num_conv=2)
    nets = [SRVGGNetCompact(scale=4, num_feat=8, num_conv=2) for _ in range(2)]
    model = young(generator=nets[0], generator_ema=nets[1])
    start(model, g=save(tmp_path / "x2.pth", x2), strict=False)
    assert differing(model.generator, x2) == {"body.6.weight", "body.6.bias"}


def test_a_discriminator_too_takes_what_matches(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    torch.manual_seed(2)
    gray = UNetDiscriminator(in_channels=1, num_feat=4)
    ours = save_ours(tmp_path / "a.ckpt", average=generator(1), judge=gray)
    for files in ({"d": save(tmp_path / "d.pth", gray)}, {"d": ours}, {"g": ours}):
        model = young()
        start(model, strict=False, **files)
        assert differing(model.discriminator, gray) == {"conv0.weight"}
        assert torch.equal(model.discriminator.conv0.weight, discriminator(0).conv0.weight)
    assert "conv0.weight is (4, 1, 3, 3), expected (4, 3, 3, 3)" in caplog.text


def test_where_nothing_matches_the_file_is_refused(tmp_path: Path) -> None:
    other = save(tmp_path / "other.pth", nn.ModuleDict({"weird": nn.Conv2d(3, 3, 3)}))
    for key, files in (("init_from", {"g": other}), ("init_discriminator_from", {"d": other})):
        model = young()
        with pytest.raises(CheckpointError, match=rf"{key}: .*other\.pth: nothing in it fits the configured"):
            start(model, strict=False, **files)
        with pytest.raises(CheckpointError, match="not the weights") as error:
            start(model, **files)
        assert "init_strict" not in str(error.value)  # it would not help


def test_a_users_net_may_have_names_that_look_like_those_of_a_wrapper(tmp_path: Path) -> None:
    def own(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        return nn.ModuleDict({"model": nn.ModuleDict({"conv": nn.Conv2d(3, 3, 3)})})

    model = young(generator=own(0), generator_ema=own(0))
    for path in (save(tmp_path / "own.pth", own(1)), save_ours(tmp_path / "last.ckpt", average=own(2))):
        start(model, g=path)
        assert equal(model.generator_ema, own(1 if path.suffix == ".pth" else 2))
