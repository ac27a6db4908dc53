"""The fastest engine that agrees is taken, said and remembered."""

import time
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from sr.archs.srvgg import SRVGGNetCompact
from sr.upscale.engines import choice
from sr.upscale.engines.candidates import candidates
from sr.upscale.engines.choice import choose_engine
from sr.upscale.engines.engine import Candidate, Engine, EngineError
from sr.upscale.engines.in_torch import TorchEngine
from sr.upscale.engines.remembered import Remembered, choice_key
from sr.upscale.engines.trial import check_device
from sr.weights.generator import TrainedGenerator, load_generator

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedGenerator:
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("nets") / "net.pth"
    torch.save(SRVGGNetCompact(scale=2, num_feat=8, num_conv=2).state_dict(), file)
    return load_generator(file)


class Slowed:
    """The net, after a wait, with an error in every value."""

    def __init__(self, trained: TrainedGenerator, title: str, *, seconds: float, levels: float) -> None:
        self.title = title
        self._run = TorchEngine(trained.net, precision="fp32")
        self._seconds, self._error = seconds, levels / 255

    def __call__(self, tiles: Tensor) -> Tensor:
        time.sleep(self._seconds)
        return self._run(tiles) + self._error


@pytest.fixture
def made(trained: TrainedGenerator, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Four engines in place of the installed ones; the list has the titles of those that were made, in order."""
    names: list[str] = []

    def candidate(name: str, *, seconds: float = 0.0, levels: float = 0.0, missing: str = "") -> Candidate:
        def make() -> Engine:
            names.append(name)
            if missing:
                raise EngineError(missing)
            return Slowed(trained, f"{name}, fp32", seconds=seconds, levels=levels)

        return Candidate(name, "fp32", make)

    monkeypatch.setattr(choice, "WORTH_A_TRIAL", 1e-3)
    monkeypatch.setattr(choice, "WORTH_COMPILING", 1e9)
    possible = [
        candidate("torch", seconds=0.04),
        candidate("compiled", seconds=0.001),
        candidate("onnx", seconds=0.02),
        candidate("openvino", levels=1.0),
        candidate("tensorrt", missing="no GPU"),
    ]
    monkeypatch.setattr(
        choice,
        "candidates",
        lambda trained, *, engine, **others: [c for c in possible if engine in ("auto", c.name)],
    )
    return names


def test_the_fastest_that_agrees_is_taken_and_the_others_are_explained(
    trained: TrainedGenerator, made: list[str]
) -> None:
    said: list[str] = []
    engine = choose_engine(trained, graph=bytes, device=CPU, pixels=10**6, report=said.append)
    # A million pixels are enough for a trial, and not for torch.compile.
    assert engine.title == "onnx, fp32"
    assert made == ["torch", "onnx", "openvino", "tensorrt"]
    first, *others = said[0].splitlines()
    assert first.startswith("engine onnx, fp32: the fastest here (times of the others: torch, fp32 ")
    assert others == [
        "engine openvino, fp32 not used: differs from fp32 by 1.00 of 255 levels (root mean square) and 1.0 at most;"
        " allowed are 0.35 and 3.0",
        "engine tensorrt, fp32 not used: no GPU",
    ]


def test_compiling_is_tried_where_the_work_is_long(trained: TrainedGenerator, made: list[str]) -> None:
    assert (
        choose_engine(trained, graph=bytes, device=CPU, pixels=None, report=lambda line: None).title
        == "compiled, fp32"
    )


def test_little_work_is_no_reason_for_a_trial(trained: TrainedGenerator, made: list[str]) -> None:
    said: list[str] = []
    assert (
        choose_engine(trained, graph=bytes, device=CPU, pixels=1, report=said.append).title == "torch, fp32"
    )
    assert (made, said) == (["torch"], [])


def test_a_choice_is_remembered_for_the_same_weights_alone(
    trained: TrainedGenerator, made: list[str], tmp_path: Path
) -> None:
    memory, said = Remembered(tmp_path / "caches" / "engines.json"), []
    choose_engine(trained, graph=bytes, device=CPU, pixels=10**6, memory=memory, report=said.append)
    made.clear()
    again = choose_engine(trained, graph=bytes, device=CPU, pixels=1, memory=memory, report=said.append)
    assert (again.title, made) == ("onnx, fp32", ["onnx"])
    assert said[-1] == "engine onnx, fp32: the fastest in an earlier trial"
    key = choice_key(trained, device=CPU, precision="auto")
    with torch.no_grad():
        next(trained.net.parameters()).mul_(2.0)
    try:
        assert choice_key(trained, device=CPU, precision="auto") != key
    finally:
        with torch.no_grad():
            next(trained.net.parameters()).div_(2.0)
    assert (
        choice_key(trained, device=CPU, precision="auto")
        == key
        != choice_key(trained, device=CPU, precision="fp32")
    )


def test_a_broken_memory_is_made_again(trained: TrainedGenerator, made: list[str], tmp_path: Path) -> None:
    file = tmp_path / "engines.json"
    file.write_text("[1, {")
    memory = Remembered(file)
    choose_engine(trained, graph=bytes, device=CPU, pixels=10**6, memory=memory, report=lambda line: None)
    assert list(memory._read().values()) == ["onnx, fp32"]


def test_a_memory_that_cannot_be_written_is_said(
    trained: TrainedGenerator, made: list[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    memory = Remembered(tmp_path / "file" / "engines.json")
    assert (
        choose_engine(trained, graph=bytes, device=CPU, pixels=10**6, memory=memory, report=said.append).title
        == "onnx, fp32"
    )
    assert "the choice of the engine is not kept for the next time" in said[-1]


def test_a_named_engine_that_differs_is_refused(trained: TrainedGenerator, made: list[str]) -> None:
    with pytest.raises(EngineError, match=r"differs from fp32 by 1\.00 of 255 levels"):
        choose_engine(trained, graph=bytes, device=CPU, engine="openvino")
    assert choose_engine(trained, graph=bytes, device=CPU, engine="onnx").title == "onnx, fp32"


def test_on_a_gpu_of_apple_torch_in_fp32_is_compared_with_the_cpu(
    trained: TrainedGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated: no such GPU is at hand."""
    apple = torch.device("mps")
    found = candidates(trained, graph=bytes, device=apple, precision="auto")
    assert [each.title for each in found] == ["torch, fp32"]
    with pytest.raises(ValueError, match="precision=bf16: on mps engine=auto computes in fp32"):
        candidates(trained, graph=bytes, device=apple, precision="bf16")
    with pytest.raises(ValueError, match="engine=onnx: on mps choose auto, torch"):
        candidates(trained, graph=bytes, device=apple, precision="auto", engine="onnx")

    def differs(net: nn.Module, *, channels: int, device: torch.device) -> None:
        raise EngineError(f"{device} differs")

    monkeypatch.setattr(choice, "check_device", differs)
    with pytest.raises(EngineError, match="mps differs"):
        choose_engine(trained, graph=bytes, device=apple)


def test_a_device_on_which_torch_is_wrong_is_refused(trained: TrainedGenerator) -> None:
    class OnceRight(nn.Module):
        """Right in every copy, wrong where it is."""

        def __init__(self) -> None:
            super().__init__()
            self.error = 0.0

        def forward(self, tiles: Tensor) -> Tensor:
            return tiles + self.error

        def __deepcopy__(self, memo: object) -> nn.Module:
            return OnceRight()

    net = OnceRight()
    check_device(net, channels=3, device=CPU)
    net.error = 0.1
    with pytest.raises(EngineError, match=r"device=cpu: torch differs from fp32 by 25\.50 of 255 levels"):
        check_device(net, channels=3, device=CPU)
