"""A metric that does not say which direction is better is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import own_metrics
import pytest
import torch
from evaluation_runs import run_evaluation
from helpers import compose_config, small_gan

from sr.evaluation.metric import check_metric
from sr.metrics.niqe import NIQEMetric
from sr.metrics.protocol import MSE, PSNR, SSIM, Protocol
from sr.metrics.quantity import Quantity, check_monitor, measure, quantities_of
from sr.metrics.sharpness import Sharpness
from sr.programs.train import train

NIQE = NIQEMetric.quantities["niqe"]
SHARPNESS = Sharpness.quantities["sharpness"]
MAE: dict[str, Any] = {"crop_border": 4, "spaces": ["y"]}


def test_every_metric_of_ours_says_which_way_it_is_better() -> None:
    assert [each.better for each in (PSNR, SSIM, MSE, NIQE, SHARPNESS)] == [
        *("higher", "higher", "lower", "lower", "neither")
    ]
    quantities = Protocol(crop_border=4, spaces=["channels"]).quantities
    assert quantities == {
        "psnr_channels": replace(PSNR, title="PSNR on all channels"),
        "ssim_channels": replace(SSIM, title="SSIM on all channels"),
        "mse": MSE,
    }


def test_numbers_are_printed_with_the_digits_that_count() -> None:
    assert [each.text(0.123456) for each in (PSNR, SSIM, MSE, NIQE, SHARPNESS)] == [
        *("0.12", "0.1235", "1.23e-01", "0.123", "0.123")
    ]
    assert PSNR.text(-0.001, sign=True) == "+0.00"
    assert PSNR.text(-0.01, sign=True) == "-0.01"


def test_a_gain_is_positive_whichever_way_is_better() -> None:
    assert PSNR.gain(31, over=30) == 1
    assert MSE.gain(0.25, over=0.5) == 0.25
    assert SHARPNESS.gain(0.75, over=0.5) == 0.25
    assert (PSNR.advice, MSE.advice) == ("higher is better", "lower is better")


def test_what_no_quantity_can_be_is_refused() -> None:
    with pytest.raises(ValueError, match="better='up': choose one of higher, lower, neither"):
        Quantity(better="up", digits=".2f")
    with pytest.raises(ValueError, match=r"digits='4': .*|digits='four': .*write it like \.4f"):
        Quantity(better="higher", digits="four")


def test_a_metric_that_does_not_say_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"metric=own_metrics\.SilentMae does not say which way is better: .*`quan"
    ):
        quantities_of(own_metrics.SilentMae(**MAE))
    image = torch.zeros(1, 3, 20, 20)
    with pytest.raises(ValueError, match="ForgetfulMae returns mae, rmse, but its `quantities` are mae"):
        measure(own_metrics.ForgetfulMae(**MAE), image, image)
    with pytest.raises(ValueError, match=r"monitor=sharpness: choose one of mse; measure="):
        check_monitor("sharpness", {"sharpness": SHARPNESS, "mse": MSE})


def settings(tmp_path: Path, photos: Path, *overrides: str) -> list[str]:
    short = [
        "data.iterations_per_epoch=2",
        "trainer.max_steps=8",
        "model.optimization.ema_decay=0",
        "optimizer_g.lr=0.05",
    ]
    return [*small_gan(tmp_path / "run"), f"data.val_dir={photos}", *short, *overrides]


def test_the_best_state_by_a_metric_of_the_user_s_own_is_the_best(
    tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ["metric._target_=own_metrics.Mae", "monitor=mae", "callbacks.checkpoints.keep_last=9"]
    train(compose_config(*settings(tmp_path, photos, *own)))
    files = {
        path.stem: torch.load(path, weights_only=True)
        for path in (tmp_path / "run" / "checkpoints").iterdir()
    }
    values = {name: content["provenance"]["metrics"]["mae"] for name, content in files.items()}
    assert len({value for name, value in values.items() if name.startswith("last")}) == 4
    of_gan = [value for name, value in values.items() if files[name]["global_step"] > 3]  # where it begins
    assert values["best"] == min(of_gan)
    assert f"mae {values['last']:.5f}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["metric._target_=own_metrics.SilentMae", "monitor=mae"],
            "SilentMae does not say which way is better",
        ),
        (["metric._target_=own_metrics.Mae"], "monitor=psnr_y: choose one of mae"),
        (
            ["callbacks.checkpoints.monitor=maee"],
            r"callbacks\.checkpoints\.monitor=maee: choose one of psnr_y,",
        ),
        (["metric._target_=own_metrics.ForgetfulMae", "monitor=mae"], "ForgetfulMae returns mae, rmse, but"),
    ],
)
def test_a_run_refuses_what_does_not_say(
    tmp_path: Path, photos: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(Exception, match=message):
        train(compose_config(*settings(tmp_path, photos, *overrides)))
    assert not list((tmp_path / "run").glob("checkpoints/*"))


def test_a_resumed_run_does_not_compare_two_metrics(tmp_path: Path, photos: Path) -> None:
    """The best PSNR is 30. Lower is better for the error, so any error would beat it."""
    train(compose_config(*settings(tmp_path, photos, "trainer.max_steps=2")))
    more = ["monitor=mse", "trainer.max_steps=4", "scheduler_g.T_max=2", "resume=auto"]
    train(compose_config(*settings(tmp_path, photos, *more)))
    best = torch.load(tmp_path / "run" / "checkpoints" / "best.ckpt", weights_only=True)
    kept = best["callbacks"]["Checkpoints"]
    (state,) = kept["best"]
    assert kept["monitor"] == {"best": {"mse": 1.0}, "within": {}}
    assert state["values"] == {"mse": pytest.approx(best["provenance"]["metrics"]["mse"])}


def test_an_evaluation_takes_directions_and_digits_from_the_metric(tmp_path: Path, photos: Path) -> None:
    arguments = ["ckpt=bicubic", f"hr_dir={photos}", f"out_dir={tmp_path}/out", "device=cpu"]
    own = "metric._target_=own_metrics.ProtocolAndMae"
    report = run_evaluation(*arguments, own)
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert written["quantities"]["mae"] == {"better": "lower", "digits": ".5f", "unit": "", "title": ""}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "mae ↓" in page
    assert f"{report.sets['photos'].means['bicubic']['mae'].value:.5f}" in page
    assert '"falling": ["mae", "mse"]' in page


def refused(kind: Callable[..., Any]) -> None:
    check_metric(kind(**MAE), measures=[], channels=3)


def test_an_evaluation_needs_a_protocol() -> None:
    with pytest.raises(
        ValueError, match=r"metric=Mae: an evaluation needs a subclass of sr\.metrics\.protocol"
    ):
        refused(own_metrics.Mae)
    with pytest.raises(ValueError, match="SilentMae does not say which way"):
        refused(own_metrics.SilentMae)
