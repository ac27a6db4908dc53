"""Checkpoints of the field, made by spandrel's own classes, through our reader and through spandrel."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import compose_config, tiny
from spandrel_files import NEEDS_SPANDREL, NETS, stand_in_for_torchvision, write_net
from tiny_nets import noise

from sr.commands.export import parse
from sr.ops.weight_file import CheckpointError
from sr.programs.export import run
from sr.programs.train import train
from sr.weights import spandrel_nets
from sr.weights.generator import TrainedGenerator, load_generator
from sr.weights.spandrel_nets import SPANDREL, SpandrelMissingError, SpandrelNet, recognise

pytestmark = NEEDS_SPANDREL


@pytest.fixture(autouse=True)
def torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_for_torchvision(monkeypatch)


def same_picture(trained: TrainedGenerator, path: Path) -> None:
    """Assert that an odd picture comes out as spandrel makes it, within a level of 8 bits."""
    import spandrel

    descriptor: Any = spandrel.ModelLoader().load_from_file(path)
    image = noise(1, 3, 17, 22)
    with torch.no_grad():
        found = trained.net(image).clamp(0, 1)
        expected = descriptor.eval()(image)
    assert found.shape == expected.shape == (1, 3, 17 * trained.scale, 22 * trained.scale)
    assert expected.std() > 0.05  # not all black or white
    assert (found - expected).abs().max() <= 1 / 255


@pytest.mark.parametrize("name", NETS)
def test_a_net_of_the_field_gives_spandrel_s_picture(name: str, tmp_path: Path) -> None:
    path, _ = write_net(tmp_path, name)
    same_picture(load_generator(path), path)


def test_most_of_them_need_no_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {name: write_net(tmp_path, name)[0] for name in NETS}

    def missing() -> None:
        raise SpandrelMissingError("there is no spandrel here")

    read = []
    with monkeypatch.context() as without:
        without.setattr(spandrel_nets, "_spandrel", missing)
        for name, path in files.items():
            try:
                load_generator(path)
            except CheckpointError as error:
                assert "what the library spandrel reads: there is no spandrel here" in str(error)
            else:
                read.append(name)
    assert len(read) >= 10, read


def test_a_file_that_neither_knows_names_both(tmp_path: Path) -> None:
    torch.save({"weird.weight": torch.ones(3)}, tmp_path / "a.pth")
    with pytest.raises(
        CheckpointError, match=r"Known are RRDBNet, .* and what the library spandrel reads: .*either"
    ):
        load_generator(tmp_path / "a.pth")


def test_without_spandrel_the_words_to_install_it_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(
        SpandrelMissingError, match=r"spandrel cannot be imported .*pip install 'sr-lightning\[archs\]'"
    ):
        recognise({}, path=Path("a.pth"))


def test_the_state_dict_has_the_published_names_and_loads_back(tmp_path: Path) -> None:
    path, net = write_net(tmp_path, "SAFMN")
    ours = recognise(net.state_dict(), path=path)
    state = ours.state_dict()
    assert list(state) == list(net.state_dict())
    inside = torch.nn.ModuleDict({"generator": ours})
    assert list(inside.state_dict()) == [f"generator.{key}" for key in state]
    zeros = {key: torch.zeros_like(value) for key, value in inside.state_dict().items()}
    inside.load_state_dict(zeros)
    assert not any(value.any() for value in ours.state_dict().values())


def test_values_that_are_not_finite_are_named(tmp_path: Path) -> None:
    _, net = write_net(tmp_path, "MoSR")
    state = net.state_dict()
    key = next(iter(state))
    state[key] = torch.full_like(state[key], torch.nan)
    torch.save(state, tmp_path / "bad.pth")
    with pytest.raises(CheckpointError, match=rf"bad\.pth.*{key}"):
        load_generator(tmp_path / "bad.pth")


def test_a_checkpoint_of_a_run_is_read_without_the_first_file(tmp_path: Path) -> None:
    path, net = write_net(tmp_path, "SAFMN")
    generator = {"_target_": SPANDREL, "checkpoint": "/nowhere/a.pth", "scale": 2, "channels": 3}
    weights = {f"generator_ema.{key}": value for key, value in net.state_dict().items()}
    content = {"state_dict": weights, "config": {"scale": 2, "channels": 3, "generator": generator}}
    torch.save(content, tmp_path / "last.ckpt")
    trained = load_generator(tmp_path / "last.ckpt")
    assert isinstance(trained.net, SpandrelNet)
    assert trained.description == {"_target_": SPANDREL, "architecture": "SAFMN"}
    same_picture(trained, path)


def train_on(run_dir: Path, *overrides: str) -> Path:
    small = tiny("esrgan_psnr", run_dir, run_dir.parent / "vgg.pth")
    train(compose_config(*(each for each in small if not each.startswith("generator.")), *overrides))
    return run_dir


def test_a_net_of_the_field_trains_on_and_is_read_resumed_and_exported(
    tmp_path: Path, photos: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    path, _ = write_net(tmp_path, "SAFMN")
    net = ["scale=2", "generator=spandrel", f"generator.checkpoint={path}", f"data.val_dir={photos}"]
    run_dir = train_on(tmp_path / "run", *net)
    assert "checkpoints of this run are read by spandrel: other machines need pip install" in caplog.text
    checkpoint = run_dir / "checkpoints" / "last.ckpt"
    resumed = train_on(run_dir, *net, f"resume={checkpoint}", "trainer.max_steps=3", "trainer.max_epochs=2")
    content = torch.load(resumed / "checkpoints" / "last.ckpt", weights_only=True)
    assert content["global_step"] == 3
    started = train_on(tmp_path / "started", *net, f"init_from={checkpoint}")
    trained, again = load_generator(checkpoint), load_generator(started / "checkpoints" / "last.ckpt")
    assert trained.name == "SAFMN"
    before, after = torch.load(path, weights_only=True)["params"], trained.net.state_dict()
    assert before.keys() == after.keys() == again.net.state_dict().keys()
    assert any(not torch.equal(before[key], after[key]) for key in before)
    out = tmp_path / "safmn.safetensors"
    run(parse(["--ckpt", str(checkpoint), "--format", "safetensors", "--out", str(out)]))
    exported = load_generator(out)
    same_picture(exported, out)
    for key, value in after.items():
        assert torch.equal(value, exported.net.state_dict()[key])


def test_a_net_of_another_scale_is_refused_before_training(tmp_path: Path) -> None:
    path, _ = write_net(tmp_path, "SAFMN")
    with pytest.raises(
        ValueError, match=r"SAFMN with scale=2 and channels=3, the run has scale=4 and channels=3"
    ):
        spandrel_nets.spandrel_generator(checkpoint=str(path), scale=4, channels=3)
