"""A batch in parts."""

from contextlib import nullcontext

import torch
from lightning.pytorch.strategies import SingleDeviceStrategy

from sr.training.micro_batches import micro_batches


def test_the_parts_together_are_the_batch_and_the_target_is_hr_unless_there_is_one() -> None:
    batch = {"lr": torch.rand(6, 3, 2, 2), "hr": torch.rand(6, 3, 8, 8)}
    parts = list(micro_batches(batch, count=3, strategy=SingleDeviceStrategy()))
    assert [len(part.lr) for part in parts] == [2, 2, 2]
    assert torch.equal(torch.cat([part.lr for part in parts]), batch["lr"])
    assert torch.equal(torch.cat([part.target for part in parts]), batch["hr"])
    assert all(isinstance(part.exchange, nullcontext) for part in parts)
    target = torch.rand(6, 3, 8, 8)
    (whole,) = micro_batches({**batch, "target": target}, count=1, strategy=SingleDeviceStrategy())
    assert torch.equal(whole.target, target)
    assert torch.equal(whole.hr, batch["hr"])
