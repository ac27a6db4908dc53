"""Every private name of torch that the project uses still exists; an upgrade that loses one fails here, by the name."""

from typing import Any

import pytest
import torch
import torch._functorch.config
import torch._subclasses.fake_tensor
import torch.multiprocessing
import torch.utils.data.dataloader
from torch import nn
from torch.optim.lr_scheduler import LinearLR, SequentialLR
from torch.utils.data import DataLoader

from sr.ops.private_torch import parts_of, pass_over, processes_of, shut_down, stop_watching, workers_of

NAMES: list[tuple[Any, str]] = [
    (torch.multiprocessing, "_prctl_pr_set_pdeathsig"),
    (torch.nn.modules.batchnorm, "_BatchNorm"),
    (torch.utils.data.dataloader, "_MultiProcessingDataLoaderIter"),
    (torch.utils.data.dataloader._MultiProcessingDataLoaderIter, "_shutdown_workers"),
    (torch, "_foreach_lerp_"),
    (torch, "_foreach_mul_"),
    (torch._functorch.config, "donated_buffer"),
    (torch._subclasses.fake_tensor, "FakeTensorMode"),
    (torch.UntypedStorage, "_cdata"),
    (torch._C, "_remove_worker_pids"),
    (torch.ops.mkldnn, "_is_mkldnn_bf16_supported"),
    (torch.ops.aten, "_upsample_bicubic2d_aa"),  # sr/export/onnx_graph.py
    (torch.nn.Module, "_apply"),  # sr/losses/perceptual.py
]


@pytest.mark.parametrize(("owner", "name"), NAMES, ids=[name for _, name in NAMES])
def test_it_is_there(owner: Any, name: str) -> None:
    assert hasattr(owner, name)


def test_a_sequence_of_schedulers_has_its_parts_and_a_simple_one_has_none() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    parts = [LinearLR(optimizer), LinearLR(optimizer)]
    assert parts_of(SequentialLR(optimizer, parts, milestones=[3])) == parts
    assert parts_of(parts[0]) == []


def test_a_scheduler_hears_that_the_optimizer_was_passed_over(recwarn: pytest.WarningsRecorder) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = LinearLR(optimizer)
    pass_over(optimizer)
    scheduler.step()
    assert not recwarn.list


def test_the_workers_of_a_loader_can_be_ended() -> None:
    loader = DataLoader(range(4), num_workers=1, persistent_workers=True)
    assert workers_of(loader) is None
    assert len(list(loader)) == 4
    workers = workers_of(loader)
    assert workers is not None
    assert workers._worker_pids_set
    (process,) = processes_of(workers)
    assert process.is_alive()
    stop_watching(workers)
    assert not workers._worker_pids_set
    shut_down(workers)
    assert not process.is_alive()
