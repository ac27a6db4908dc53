"""A node in the place of a choice."""

import base64

import pytest
from helpers import compose_config
from omegaconf import OmegaConf

from sr.cli.command_line import check_command_line
from sr.cli.nodes import with_named_nodes
from sr.ops.node_names import PREFIX, node_text

NODE = '{_target_: sr.degradations.bicubic.BicubicDegradation, scale: ${scale}, note: "a, b"}'


@pytest.mark.parametrize("experiment", ["quickstart", "realesrgan"])
def test_a_node_takes_the_place_of_the_whole_option(experiment: str) -> None:
    arguments = [f"experiment={experiment}", f"degradation={NODE}", "scale=2"]
    check_command_line(arguments)
    cfg = compose_config(*with_named_nodes(arguments))
    assert OmegaConf.to_container(cfg.degradation, resolve=True) == {
        "_target_": "sr.degradations.bicubic.BicubicDegradation",
        "scale": 2,
        "note": "a, b",
    }
    assert cfg.data.degradation == cfg.degradation


def test_a_node_of_one_use_of_a_group() -> None:
    node = "{_target_: torch.optim.SGD, _partial_: true, lr: 0.1}"
    cfg = compose_config(*with_named_nodes(["experiment=quickstart", f"optimizer@optimizer_g={node}"]))
    assert dict(cfg.optimizer_g) == {"_target_": "torch.optim.SGD", "_partial_": True, "lr": 0.1}
    assert cfg.optimizer_d._target_ == "torch.optim.Adam"


def test_the_name_of_a_node_says_what_was_typed_and_another_process_reads_it() -> None:
    (named,) = with_named_nodes([f"degradation={NODE}"])
    key, _, name = named.partition("=")
    assert (key, name[: len(PREFIX)]) == ("degradation", PREFIX)
    assert node_text(name) == NODE
    assert with_named_nodes([named]) == [named]


def test_other_arguments_stay_as_they_are() -> None:
    arguments = ["degradation=bicubic", "ckpts={a: x.pth}", "-m", "data.degradation={scale: 4}", "--help"]
    assert with_named_nodes(arguments) == arguments


@pytest.mark.parametrize(
    "value", [f"{NODE},bicubic", f"bicubic,{NODE}", f"choice(bicubic,{NODE})", f"{NODE},{NODE}"]
)
def test_every_node_of_a_sweep_gets_a_name_of_its_own(value: str) -> None:
    check_command_line(["-m", f"degradation={value}"])
    _, named = with_named_nodes(["-m", f"degradation={value}"])
    choices = named.partition("=")[2].split(",")
    assert len(choices) == 2 and all(choice.startswith((PREFIX, "bicubic")) for choice in choices)
    for choice in choices:
        cfg = compose_config(*with_named_nodes(["experiment=quickstart", f"degradation={choice}", "scale=2"]))
        assert OmegaConf.to_container(cfg.degradation, resolve=True)["scale"] == 2  # and not "2"


def test_a_name_that_holds_no_node_says_how_one_is_written() -> None:
    name = base64.urlsafe_b64encode(b"[1]").decode().rstrip("=")
    with pytest.raises(ValueError, match="a node is written as"):
        with_named_nodes([f"degradation={PREFIX}{name}"])
