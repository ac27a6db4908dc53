"""Two processes with half of the batch each must follow one process with the whole batch.

Run as a script, this file is one of the two processes: `python test_gan_distributed.py RANK FOLDER`.
"""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from processes import finished, running
from torch import Tensor, nn

from sr.losses.gan import HingeGANLoss, LeastSquaresGANLoss, RelativisticAverageGANLoss, VanillaGANLoss

BASES = {
    "vanilla": VanillaGANLoss(label_smoothing=0.1),
    "least_squares": LeastSquaresGANLoss(fake_target=-1.0),
    "hinge": HingeGANLoss(),
}
BATCH = 4


class Training(nn.Module):
    """The training step of the house: one discriminator pass, the push on the generator taken from it."""

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.generator = nn.Conv2d(1, 1, 3, padding=1, dtype=torch.float64)
        self.discriminator = nn.Sequential(
            nn.Conv2d(1, 3, 3, dtype=torch.float64), nn.Tanh(), nn.Conv2d(3, 1, 3, dtype=torch.float64)
        )
        self.gan_loss = RelativisticAverageGANLoss(base=base)

    def forward(self, lr: Tensor, hr: Tensor) -> Tensor:
        sr = self.generator(lr)
        fake = sr.detach().requires_grad_()
        # The factor spreads the logits over the bends of the objectives; on a straight piece averages cancel.
        real_logits, fake_logits = (4 * self.discriminator(torch.cat([hr, fake]))).chunk(2)
        adversarial = self.gan_loss.generator(real=real_logits.detach(), fake=fake_logits)
        (push,) = torch.autograd.grad(adversarial, fake, retain_graph=True)
        return (sr * push).sum() + self.gan_loss.discriminator(real=real_logits, fake=fake_logits)


def batch() -> tuple[Tensor, Tensor]:
    lr, hr = torch.randn(2, BATCH, 1, 6, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    brightness = torch.arange(BATCH, dtype=torch.float64).view(
        -1, 1, 1, 1
    )  # the two halves are unlike each other
    return lr - brightness, 2 * hr + brightness


def gradients(module: nn.Module) -> dict[str, Tensor]:
    return {name.removeprefix("module."): parameter.grad for name, parameter in module.named_parameters()}


def one_process(base: nn.Module, part: slice) -> dict[str, Tensor]:
    training = Training(base)
    lr, hr = batch()
    training(lr[part], hr[part]).backward()
    return gradients(training)


def two_processes(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=(folder / "store").as_uri(), rank=rank, world_size=2)
    lr, hr = (images[rank * BATCH // 2 : (rank + 1) * BATCH // 2] for images in batch())
    results = {}
    for name, base in BASES.items():
        training = nn.parallel.DistributedDataParallel(Training(base))
        training(lr, hr).backward()
        results[name] = gradients(training)
    if rank == 0:  # which would wait for the other one, were the averages shared
        loss = RelativisticAverageGANLoss(base=VanillaGANLoss()).eval()
        results["alone"] = {"loss": loss.discriminator(real=hr, fake=lr)}
    torch.save(results, folder / f"rank{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, Tensor]]]:
    folder = tmp_path_factory.mktemp("two_processes")
    root = str(Path(__file__).parents[2])
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([root, f"{root}/tests", os.environ.get("PYTHONPATH", "")]),
        "OMP_NUM_THREADS": "1",
    }
    with ExitStack() as stack:
        commands = [[sys.executable, __file__, str(rank), str(folder)] for rank in (0, 1)]
        processes = [stack.enter_context(running(command, env=environment)) for command in commands]
        done = [finished(process) for process in processes]
    assert [each.returncode for each in done] == [0, 0], [each.stderr for each in done]
    return [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]


@pytest.mark.parametrize("name", BASES)
def test_two_half_batches_have_the_gradients_of_the_whole_batch(
    results: list[dict[str, dict[str, Tensor]]], name: str
) -> None:
    whole = one_process(BASES[name], slice(None))
    for rank in (0, 1):
        assert results[rank][name].keys() == whole.keys()
        for key, gradient in whole.items():
            torch.testing.assert_close(results[rank][name][key], gradient, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", BASES)
def test_averages_over_the_local_half_only_would_be_noticed(name: str) -> None:
    whole = one_process(BASES[name], slice(None))
    halves = [one_process(BASES[name], part) for part in (slice(0, BATCH // 2), slice(BATCH // 2, None))]
    for key in ("generator.weight", "discriminator.0.weight"):
        assert ((halves[0][key] + halves[1][key]) / 2 - whole[key]).abs().max() > 1e-3


def test_in_evaluation_mode_a_process_is_alone(results: list[dict[str, dict[str, Tensor]]]) -> None:
    lr, hr = (images[: BATCH // 2] for images in batch())
    expected = RelativisticAverageGANLoss(base=VanillaGANLoss()).discriminator(real=hr, fake=lr)
    assert torch.equal(results[0]["alone"]["loss"], expected)


if __name__ == "__main__":
    two_processes(int(sys.argv[1]), Path(sys.argv[2]))
