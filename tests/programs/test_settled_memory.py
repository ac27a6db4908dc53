"""`generator.memory=auto` becomes a choice before anything is built, and a resumed run keeps its own."""

import logging
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from helpers import compose_config, run_program, same_state, small_gan
from omegaconf import DictConfig, OmegaConf
from small_runs import command
from torch import Tensor, nn

from sr.programs import settled_memory
from sr.programs.settled_memory import devices_of, free_for_a_process, kept_by_generator, settle_memory
from sr.programs.train import train
from sr.run.resume import SavedRun

SMALL = ("generator=rrdbnet", "generator.num_block=1", "generator.num_feat=8", "trainer.accelerator=cpu")
SWINIR = (
    "generator=swinir_light",
    "generator.depths=[2]",
    "generator.num_heads=[6]",
    "trainer.accelerator=cpu",
)


def have_free(monkeypatch: pytest.MonkeyPatch, size: float) -> None:
    monkeypatch.setattr(settled_memory, "free_memory", lambda device: int(size))


def small_rrdbnet(run_dir: Path) -> list[str]:
    """Overrides of a small run of a net that has all choices."""
    return [*(each for each in small_gan(run_dir) if not each.startswith("generator.")), *SMALL]


def settled(cfg: DictConfig, saved: SavedRun | None = None) -> Any:
    settle_memory(cfg, saved)
    assert cfg.model.generator.get("memory") == cfg.generator.get("memory")  # what is built follows
    return cfg.generator.get("memory")


class Own(nn.Conv2d):
    """A net of a user's that has no such argument."""

    def __init__(self, *, channels: int = 3) -> None:
        super().__init__(channels, channels, 1)


class OwnChoice(Own):
    """And one that has it, with words of its own."""

    def __init__(self, *, memory: Literal["auto", "much"] = "auto") -> None:
        super().__init__()


class OwnAuto(Own):
    """And one that has two of ours."""

    def __init__(self, *, memory: Literal["auto", "plain", "checkpoint"] = "auto") -> None:
        super().__init__()
        assert memory != "auto"


class Looks(OwnAuto):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) if input.mean() > 0 else input


def own(kind: type[nn.Module], *, memory: str | None = None) -> DictConfig:
    cfg = compose_config("trainer.accelerator=cpu")
    cfg.generator = {"_target_": f"{__name__}.{kind.__name__}"} | ({"memory": memory} if memory else {})
    return cfg


@pytest.mark.parametrize(("net", "middle"), [(SMALL, "lean"), (SWINIR, "checkpoint")])
def test_the_choice_follows_net_batch_and_free_memory(
    net: tuple[str, ...], middle: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept = kept_by_generator(compose_config(*net), "plain")
    have_free(monkeypatch, 2 * kept)
    assert settled(compose_config(*net)) == "plain"
    (said,) = (each.getMessage() for each in caplog.records)
    gib = f"{kept / 2**30:.2f} GiB"
    assert said.startswith(f"generator.memory=plain: plain keeps about {gib} for the backward pass, of ")
    have_free(monkeypatch, 2 * kept - 2)
    assert settled(compose_config(*net)) == middle
    have_free(monkeypatch, 0)
    assert settled(compose_config(*net)) == "checkpoint"
    # Two parts of a batch need half, so they fit.
    have_free(monkeypatch, 2 * kept - 2)
    assert settled(compose_config(*net, "model.optimization.accumulate=2")) == "plain"
    assert settled(compose_config(*net, "data.batch_size=64")) != "plain"


def test_what_the_user_says_stays(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    have_free(monkeypatch, 0)
    assert settled(compose_config(*SMALL, "generator.memory=plain")) == "plain"
    assert not caplog.records


def test_nets_of_users(monkeypatch: pytest.MonkeyPatch) -> None:
    have_free(monkeypatch, 0)
    assert settled(own(Own)) is None
    assert settled(own(OwnAuto, memory="auto")) == "checkpoint"
    assert settled(own(OwnAuto)) == "checkpoint"  # auto by its default
    with pytest.raises(
        ValueError, match=r"^generator\.memory=auto: what \S*Looks keeps .* one of plain, lean"
    ):
        settled(own(Looks))


def test_a_net_with_other_words_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    have_free(monkeypatch, 0)
    assert settled(own(OwnChoice, memory="auto")) == "auto"


def test_a_data_set_without_these_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    have_free(monkeypatch, 0)
    cfg = compose_config(*SMALL)
    cfg.data = {"_target_": "my.Data"}
    assert settled(cfg) == "plain"


@pytest.mark.parametrize("memory", ["plain", "lean", "checkpoint"])
def test_a_resumed_run_keeps_its_own(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def saved(generator: dict[str, Any]) -> SavedRun:
        return SavedRun(Path("last.ckpt"), 7, {"generator": generator})

    have_free(monkeypatch, 0 if memory == "plain" else 2**40)
    assert settled(compose_config(*SMALL), saved({"memory": memory})) == memory
    assert settled(compose_config(*SMALL), saved({})) == ("checkpoint" if memory == "plain" else "plain")


def test_the_part_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    have_free(monkeypatch, 1000)
    trainer = compose_config("trainer.accelerator=cpu", "trainer.devices=2").trainer
    assert devices_of(trainer) == [torch.device("cpu")] * 2
    assert free_for_a_process(devices_of(trainer)) == 500
    gpus = [torch.device("cuda", index) for index in (2, 3)]
    monkeypatch.setattr(settled_memory, "free_memory", lambda device: 100 * device.index)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert free_for_a_process(gpus) == 300
    trainer.devices = "auto"
    assert devices_of(trainer) == [torch.device("cpu")]


def test_processes_that_see_other_memory_choose_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = (*SMALL, f"run_dir={tmp_path}", "trainer.devices=2")
    have_free(monkeypatch, 2**40)
    assert settled(compose_config(*settings)) == "plain"
    have_free(monkeypatch, 0)
    assert settled(compose_config(*settings)) == "plain"
    assert settled(compose_config(*settings, "data.batch_size=64")) == "checkpoint"  # another question


def test_a_run_says_and_saves_it_and_goes_on_with_it_in_the_same_bits(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    settings = [f"data.val_dir={photos}", "trainer.max_steps=5", "callbacks.checkpoints.every_n_iterations=1"]
    settings += ["callbacks.checkpoints.keep_last=9"]
    kept = kept_by_generator(compose_config(*small_rrdbnet(tmp_path / "run"), *settings), "plain")
    have_free(monkeypatch, 1.9 * kept)
    train(compose_config(*small_rrdbnet(tmp_path / "run"), *settings))
    assert OmegaConf.load(tmp_path / "run" / "config.yaml").generator.memory == "lean"
    assert "generator.memory=lean: lean keeps about " in caplog.text
    whole = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert whole["config"]["generator"]["memory"] == whole["config"]["model"]["generator"]["memory"] == "lean"
    have_free(monkeypatch, 2**40)
    caplog.clear()
    files = (tmp_path / "run" / "checkpoints").glob("last*.ckpt")
    before = next(file for file in files if torch.load(file, weights_only=True)["global_step"] == 4)
    train(compose_config(*small_rrdbnet(tmp_path / "again"), *settings, f"resume={before}"))
    again = torch.load(tmp_path / "again" / "checkpoints" / "last.ckpt", weights_only=True)
    assert "generator.memory=lean: as in the run that is resumed" in caplog.text
    assert "generator.memory: " not in caplog.text  # nothing has changed
    assert same_state(again, whole)


# Of two processes, the second one sees much memory, and each writes down what it builds.
PRELUDE = """
from sr.programs import settled_memory, train
rank, build = os.environ.get("LOCAL_RANK", "0"), train.build
settled_memory.free_memory = lambda device: 2**40 * int(rank)
def noted(cfg, *others, **named):
    data, model = build(cfg, *others, **named)
    open({file!r} + rank, "w").write(model.generator.memory)
    return data, model
train.build = noted
"""


@pytest.mark.slow
def test_two_processes_of_a_run_agree(tmp_path: Path, photos: Path) -> None:
    settings = (*SMALL, f"data.val_dir={photos}", "trainer.max_steps=1", "trainer.devices=2")
    prelude = PRELUDE.format(file=str(tmp_path / "of_"))
    program = [each for each in command(tmp_path / "run", prelude) if not each.startswith("generator.")]
    done = run_program(*program[1:], *settings)
    assert done.returncode == 0, done.stderr
    assert [(tmp_path / f"of_{rank}").read_text() for rank in (0, 1)] == ["checkpoint", "checkpoint"]
