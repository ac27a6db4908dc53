"""What only shows with a second process: agreement on a stop, and accumulation with one gradient exchange."""

import subprocess
from pathlib import Path

import pytest
import torch
from helpers import run_program
from optimizer_options import OPTIONS
from processes import ROOT
from small_training import make

PROGRAM = """
import os
import sys
from pathlib import Path
sys.path[:0] = [{root!r}, {root!r} + "/tests"]
import pytest
import torch
torch.set_num_threads(1)
from functools import partial
import small_training as t
from optimizer_options import option
from sr.callbacks.divergence import Divergence
from sr.losses.feature_matching import FeatureMatchingLoss
from sr.losses.gan import VanillaGANLoss
from sr.losses.gradient_penalty import GradientPenalty
from sr.training.discriminator_steps import DiscriminatorSteps
from sr.training.gan import GANModule
from sr.training.optimization import Optimization
from sr.training.psnr import PSNRModule

if __name__ == "__main__":
    out = Path({out!r})
    module = t.make({kind}, optimization=Optimization(accumulate={accumulate}), **{changes})
    processes = {processes}
    several = dict(strategy="ddp", devices=processes) if processes > 1 else {{}}
    t.BATCH = 8 // processes
    share = range(int(os.environ.get("LOCAL_RANK", 0)), 24, processes)  # so each batch is shared out
    data = torch.utils.data.Subset(t.Pairs(24, poison={poison}), share)
    callbacks = [Divergence(directory=str(out / "diverged"), checkpoints=str(out), patience={patience})]
    trainer = t.fit(module, out, steps=3, data=data, use_distributed_sampler=False, callbacks=callbacks, **several)
    torch.save(module.state_dict(), out / f"weights-{{trainer.global_rank}}.pt")
"""


def run(out: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    out.mkdir(exist_ok=True)
    program = PROGRAM.format(root=str(ROOT), out=str(out), **settings)
    (out / "program.py").write_text(program)
    return run_program(str(out / "program.py"))


def test_one_bad_process_keeps_both_from_changing_a_weight_and_stops_both(tmp_path: Path) -> None:
    # Image 11 is in the second batch of process 1 alone.
    settings = {"kind": "PSNRModule", "accumulate": 1, "changes": "{}", "processes": 2, "poison": 11}
    done = run(tmp_path, patience=1, **settings)
    assert done.returncode != 0
    assert sorted(path.name for path in (tmp_path / "diverged").iterdir()) == [
        "iteration-2-rank-0.pt",
        "iteration-2-rank-1.pt",
    ]
    for rank, finite in ((0, True), (1, False)):
        saved = torch.load(tmp_path / "diverged" / f"iteration-2-rank-{rank}.pt")
        assert bool(saved["batch"]["lr"].isfinite().all()) == finite
    assert "on another process; rank 0" in done.stderr


@pytest.mark.slow
def test_one_bad_process_costs_both_one_update(tmp_path: Path) -> None:
    settings = {"kind": "PSNRModule", "accumulate": 1, "changes": "{}", "processes": 2, "poison": 11}
    done = run(tmp_path, patience=2, **settings)
    assert done.returncode == 0, done.stderr
    assert "iteration 2: a loss or gradient is not finite (on another process; rank 0" in done.stderr
    assert all(value.isfinite().all() for value in torch.load(tmp_path / "weights-0.pt").values())


RULES = (
    "gan_penalty=GradientPenalty(real=1.0, fake=1.0), feature_matching=FeatureMatchingLoss(weight=0.1),"
    " discriminator_steps=DiscriminatorSteps(pause_threshold=1.0, pause_average=0.5),"
)


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", RULES, "discriminator_steps=DiscriminatorSteps(every=2),"])
def test_accumulation_over_two_processes_follows_one_process_without(tmp_path: Path, more: str) -> None:
    changes = f"dict({more} gan_loss=VanillaGANLoss(), optimizer_g=partial(torch.optim.SGD, lr=0.1),"
    changes += " optimizer_d=partial(torch.optim.SGD, lr=0.1))"
    settings = {"kind": "GANModule", "changes": changes, "poison": None, "patience": 1}
    one = run(tmp_path / "one", accumulate=1, processes=1, **settings)
    two = run(tmp_path / "two", accumulate=2, processes=2, **settings)
    assert one.returncode == 0, one.stderr
    assert two.returncode == 0, two.stderr
    expected = torch.load(tmp_path / "one" / "weights-0.pt")
    for key, value in torch.load(tmp_path / "two" / "weights-0.pt").items():
        torch.testing.assert_close(value, expected[key], atol=1e-6, rtol=1e-4, msg=key)


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=[pytest.mark.slow] * (each != "schedule_free")) for each in OPTIONS]
)
def test_two_processes_have_the_same_weights_by_every_optimizer(tmp_path: Path, name: str) -> None:
    """To the bit, for G, D and the average, though process 1 has a bad image in the second iteration."""
    settings = {"kind": "GANModule", "accumulate": 1, "processes": 2, "poison": 11, "patience": 2}
    changes = f"dict(optimizer_g=option({name!r}), optimizer_d=option({name!r}))"
    done = run(tmp_path, changes=changes, **settings)
    assert done.returncode == 0, done.stderr
    assert "iteration 2: a loss or gradient is not finite" in done.stderr
    one, other = (torch.load(tmp_path / f"weights-{rank}.pt") for rank in range(2))
    untrained = make().state_dict()
    for key, value in one.items():
        assert torch.equal(value, other[key]), key
        assert value.isfinite().all()
    moved = {key.partition(".")[0] for key, value in one.items() if not torch.equal(value, untrained[key])}
    assert {"generator", "discriminator"} <= moved
