"""Which nets an evaluation compares."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from sr.archs.srvgg import SRVGGNetCompact
from sr.evaluation.candidates import UNNAMED, load_candidates, name_of, named_checkpoints
from sr.ops.weight_file import CheckpointError
from sr.weights.checkpoint import read_checkpoint


def save(path: Path, *, seed: int = 0, **arguments: int) -> str:
    torch.manual_seed(seed)
    net = SRVGGNetCompact(**{"num_feat": 4, "num_conv": 1, **arguments})
    save_file(net.state_dict(), path)
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    return {name: save(tmp_path / f"{name}.safetensors", seed=n) for n, name in enumerate(("psnr", "gan"))}


def test_nets_by_name_and_the_baseline_last(files: dict[str, str]) -> None:
    found = load_candidates(files, scale=None)
    assert list(found.nets) == ["psnr", "gan", "bicubic"]
    assert (found.scale, found.channels, found.alphas) == (4, 3, {})
    lr = torch.rand(1, 3, 5, 6)
    outputs = [make()(lr) for make in found.nets.values()]
    assert {tuple(sr.shape) for sr in outputs} == {(1, 3, 20, 24)}
    assert not torch.equal(outputs[0], outputs[1])
    assert all(files[name] in line for name, line in found.files.items())


def test_the_baseline_alone_takes_any_channels() -> None:
    assert (load_candidates({}, scale=None).scale, load_candidates({}, scale=3).scale) == (4, 3)
    assert load_candidates({}, scale=2).channels is None


def test_a_sweep_goes_from_the_first_to_the_second(files: dict[str, str]) -> None:
    found = load_candidates(files, scale=None, alphas=[0, 0.25, 1])
    assert list(found.nets) == ["alpha=0", "alpha=0.25", "alpha=1", "bicubic"]
    assert found.alphas == {"alpha=0": 0.0, "alpha=0.25": 0.25, "alpha=1": 1.0}
    ends = load_candidates(files, scale=None).nets
    for step, end in (("alpha=0", "psnr"), ("alpha=1", "gan")):
        for own, original in zip(found.nets[step]().parameters(), ends[end]().parameters(), strict=True):
            assert torch.equal(own, original)
    first, second, between = (
        dict(make().named_parameters())["body.0.weight"]
        for make in (ends["psnr"], ends["gan"], found.nets["alpha=0.25"])
    )
    torch.testing.assert_close(between, 0.75 * first + 0.25 * second)
    # One net at a time: it is built when asked for, and not kept.
    assert found.nets["alpha=0.25"]() is not found.nets["alpha=0.25"]()


@pytest.mark.parametrize(
    ("alphas", "message"),
    [
        ([0, 1.5], r"alphas=\[0, 1.5\]: give one or more in \[0, 1\]"),
        ([], r"alphas=\[\]: give one or more"),
        ([0, 0.5, 0.5], r"alphas=\[0, 0.5, 0.5\] must rise"),
        ([1, 0], r"alphas=\[1, 0\] must rise"),
        (0.5, r"alphas=0.5: write alphas=\[0,0.5,1\]"),
    ],
)
def test_bad_alphas_are_named(files: dict[str, str], alphas: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_candidates(files, scale=None, alphas=alphas)


def test_a_sweep_wants_two_nets_of_one_architecture(files: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"lie between exactly two nets.*given: psnr$"):
        load_candidates({"psnr": files["psnr"]}, scale=None, alphas=[0, 1])
    wide = save(tmp_path / "wide.safetensors", num_feat=8)
    with pytest.raises(
        CheckpointError, match=r"psnr\.safetensors and .*wide\.safetensors have different architectures"
    ):
        load_candidates({"psnr": files["psnr"], "wide": wide}, scale=None, alphas=[0, 1])
    assert list(load_candidates({"psnr": files["psnr"], "wide": wide}, scale=None).nets)[:2] == [
        "psnr",
        "wide",
    ]


def test_other_scales_and_channels_are_refused_by_name(files: dict[str, str], tmp_path: Path) -> None:
    half = save(tmp_path / "half.safetensors", scale=2)
    with pytest.raises(
        ValueError,
        match=r"psnr \(.*psnr\.safetensors\) enlarges by 4 and takes 3 channel\(s\) and half \(.*half\.safetensors\)"
        r" enlarges by 2",
    ):
        load_candidates({**files, "half": half}, scale=None)
    with pytest.raises(ValueError, match=r"scale=3, but .*psnr\.safetensors enlarges by 4"):
        load_candidates(files, scale=3)


@pytest.mark.parametrize("name", ["a/b", "..", "", "a b", "<b>"])
def test_names_become_directories_and_must_be_fit_for_it(files: dict[str, str], name: str) -> None:
    with pytest.raises(ValueError, match="a name is made of letters, digits"):
        load_candidates({name: files["psnr"]}, scale=None)


def test_only_the_name_of_the_baseline_is_taken(files: dict[str, str]) -> None:
    for name in ("LR", "HR", "images", "statistics", "drawn"):
        assert list(load_candidates({name: files["psnr"]}, scale=None).nets) == [name, "bicubic"]
    with pytest.raises(ValueError, match=r"ckpts\.bicubic: bicubic is the name of the baseline"):
        load_candidates({"bicubic": files["psnr"]}, scale=None)


@pytest.mark.parametrize(
    ("file", "config", "name"),
    [
        ("runs/a/checkpoints/last.ckpt", {"name": "quickstart"}, "quickstart"),
        ("runs/a/checkpoints/last.ckpt", {}, "a"),
        ("RealESRGAN_x4plus.pth", None, "RealESRGAN_x4plus"),
        ("my net (2).pth", None, "my-net-2"),
        ("bicubic.pth", None, "bicubic-net"),
        ("a/last.ckpt", {"name": "über/uns"}, "über-uns"),
    ],
)
def test_a_single_checkpoint_has_the_name_of_its_run(
    files: dict[str, str], file: str, config: dict[str, str] | None, name: str
) -> None:
    read = read_checkpoint(files["psnr"])
    assert name_of(replace(read, path=Path(file), config=config)) == name
    (unnamed,) = named_checkpoints(ckpt=files["psnr"], ckpts=None)
    assert unnamed == UNNAMED
    found = load_candidates({unnamed: files["psnr"]}, scale=None)
    assert list(found.nets) == ["psnr", "bicubic"]
    assert found.checkpoints == {"psnr": files["psnr"]}
