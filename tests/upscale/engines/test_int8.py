"""Int8 by calibration: near to fp32, measured on tiles that it has not seen, and asked for by name alone."""

import math
import os
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from helpers import picture, run_program
from torch import Tensor

from sr.archs.srvgg import SRVGGNetCompact
from sr.export.onnx_graph import onnx_graph
from sr.ops.openvino_runtime import signal_stack
from sr.upscale.calibration import Tiles
from sr.upscale.engines.candidates import candidates
from sr.upscale.engines.engine import EngineError
from sr.upscale.engines.in_int8 import int8_engine
from sr.upscale.engines.in_torch import TorchEngine
from sr.upscale.engines.int8 import quantised
from sr.upscale.engines.int8_cost import Cost, cost_of
from sr.weights.generator import TrainedGenerator, load_generator

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedGenerator:
    torch.manual_seed(0)
    file: Path = tmp_path_factory.mktemp("nets") / "net.pth"
    torch.save(SRVGGNetCompact(scale=2, num_feat=8, num_conv=2).state_dict(), file)
    return load_generator(file)


def tile(seed: int, *, height: int = 32, width: int = 32) -> Tensor:
    return torch.from_numpy(picture(height, width, seed=seed)).permute(2, 0, 1)[None] / 255


@pytest.fixture(scope="module")
def tiles() -> Tiles:
    drawn = [tile(seed) for seed in range(8)]
    return Tiles(calibrating=drawn[:6], held_back=drawn[6:], pictures=8)


def test_convolutions_are_in_int8_and_results_near_fp32_at_any_size(
    trained: TrainedGenerator, tiles: Tiles
) -> None:
    pytest.importorskip("nncf")
    said: list[str] = []
    engine = int8_engine(
        trained,
        graph=partial(onnx_graph, trained),
        device=CPU,
        engine="openvino",
        tiles=lambda: tiles,
        report=said.append,
    )
    assert engine.title == f"openvino, int8 ({tiles.digest})"
    for shape in ((1, 40, 24), (3, 17, 9)):
        image = tile(9, height=shape[1], width=shape[2]).repeat(shape[0], 1, 1, 1)
        with torch.inference_mode():
            error = engine(image) - trained.net(image)
        assert 0 < error.square().mean() < 1e-4  # 40 dB; and not zero, as it would be in fp32
    assert said[0] == "int8: 6 tiles of 8 picture(s) for the calibration, 2 others to measure the result"
    assert "dB from fp32 on 2 tiles that it was not calibrated with" in said[1]
    assert "of the time of torch, fp32 and" in said[1] and "of the time of openvino, fp32" in said[1]


def test_every_convolution_gets_levels(trained: TrainedGenerator, tiles: Tiles) -> None:
    pytest.importorskip("nncf")
    graph = onnx_graph(trained)
    before = signal_stack() if sys.platform == "linux" else None
    one, other = (quantised(graph, tiles=tiles.calibrating) for _ in range(2))
    if before is not None:  # see sr.ops.openvino_runtime
        assert signal_stack().sp == before.sp
    kinds = [operation.get_type_name() for operation in one.get_ops()]
    convolutions = sum(isinstance(module, torch.nn.Conv2d) for module in trained.net.modules())
    assert kinds.count("Convolution") == convolutions
    constants = [
        [each.data.tobytes() for each in model.get_ops() if each.get_type_name() == "Constant"]
        for model in (one, other)
    ]
    assert constants[0] == constants[1]  # the same tiles give the same net


class Shifted:
    """The net in fp32 with an error in every value, after a wait."""

    def __init__(
        self, trained: TrainedGenerator, title: str = "int8", *, error: float = 0.0, seconds: float = 0.0
    ) -> None:
        self.title = title
        self._run = TorchEngine(trained.net, precision="fp32")
        self._error, self._seconds = error, seconds

    def __call__(self, tiles: Tensor) -> Tensor:
        time.sleep(self._seconds)
        return self._run(tiles) + self._error


@pytest.mark.parametrize(("error", "decibels"), [(0.01, 40.0), (-0.001, 60.0), (0.1, 20.0), (0.0, math.inf)])
def test_the_distance_is_the_psnr(
    error: float, decibels: float, trained: TrainedGenerator, tiles: Tiles
) -> None:
    reference = TorchEngine(trained.net, precision="fp32")
    found = cost_of(Shifted(trained, error=error), reference=reference, others=[], tiles=tiles.held_back)
    assert found.decibels == pytest.approx(decibels, abs=1e-3)


@pytest.mark.parametrize("decibels", [39.9, math.nan, -math.inf])
def test_what_is_too_coarse_is_refused(decibels: float) -> None:
    cost = Cost(decibels=decibels, tiles=16, side=64, seconds=1.0, others={"torch, fp32": 2.0})
    with pytest.raises(EngineError, match=r"int8 is too coarse for this net: .* at least 40 dB are needed"):
        cost.check()
    Cost(decibels=40.0, tiles=16, side=64, seconds=1.0, others={"torch, fp32": 2.0}).check()


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"torch, fp32": 2.0, "openvino, fp32": 4.0}, "takes 0.50 of the time of torch, fp32 and 0.25 of"),
        ({"torch, fp32": 2.0, "openvino, fp32": 0.8}, "is not faster here: 0.50 of the time of torch, fp32"),
        ({"torch, fp32": 2.0, "openvino, fp32": 1.1}, "is hardly faster here: 0.50 of the time of torch"),
    ],
)
def test_the_gain_is_that_over_the_fastest_in_fp32(others: dict[str, float], words: str) -> None:
    cost = Cost(decibels=45.0, tiles=16, side=64, seconds=1.0, others=others)
    assert f"int8 {words}" in str(cost)


def test_times_are_those_of_the_engines(trained: TrainedGenerator, tiles: Tiles) -> None:
    reference = Shifted(trained, "torch", seconds=0.12)  # long enough for the smallest tile
    found = cost_of(
        Shifted(trained, seconds=0.06),
        reference=reference,
        others=[Shifted(trained, "other", seconds=0.02)],
        tiles=tiles.held_back,
    )
    assert found.side == 32
    assert found.others["other"] < found.seconds < found.others["torch"]


@pytest.mark.parametrize(("engine", "device"), [("torch", "cpu"), ("onnx", "cpu"), ("auto", "cuda")])
def test_other_engines_and_devices_are_refused(
    engine: str, device: str, trained: TrainedGenerator, tiles: Tiles
) -> None:
    with pytest.raises(
        ValueError, match=rf"precision=int8 .*: engine={engine} must be .* device={device} must be cpu"
    ):
        int8_engine(
            trained,
            graph=bytes,
            device=torch.device(device),
            engine=engine,
            tiles=lambda: pytest.fail("worked first"),
        )


def test_it_is_never_among_the_engines_of_a_trial(trained: TrainedGenerator) -> None:
    found = candidates(trained, graph=bytes, device=CPU, precision="auto")
    assert not [each.title for each in found if "int8" in each.title]


def test_a_missing_package_is_named_with_its_extra(
    trained: TrainedGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(EngineError, match=r"nncf is missing: pip install 'sr-lightning\[int8\]'"):
        int8_engine(trained, graph=bytes, device=CPU, engine="auto", tiles=lambda: pytest.fail("first"))


IMPORTED = """
import logging
from unittest.mock import MagicMock
from sr.upscale.engines.int8 import import_nncf
kind = logging.getLoggerClass()
import_nncf()
from nncf.telemetry import wrapper
assert isinstance(wrapper.telemetry, MagicMock) or wrapper.telemetry is MagicMock, wrapper.telemetry
assert logging.getLoggerClass() is kind
import openvino_telemetry
"""


def test_nobody_is_told_of_it_and_other_loggers_stay_as_they_are(tmp_path: Path) -> None:
    pytest.importorskip("nncf")
    done = run_program("-c", IMPORTED, env={**os.environ, "HOME": str(tmp_path), "CI": ""})
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "intel").exists()  # nor a number by which its makers would know this machine
