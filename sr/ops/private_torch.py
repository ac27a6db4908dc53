"""Names of torch that are not public, in one place: an upgrade that loses one fails in tests/ops/test_private_torch.py.

Each is here because there is no public way to do what it does.
"""

from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from typing import Any

import torch
from torch import Tensor
from torch._functorch import config as functorch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.multiprocessing import _prctl_pr_set_pdeathsig as signal_at_death_of_parent  # type: ignore[attr-defined]
from torch.nn.modules.batchnorm import _BatchNorm as AnyBatchNorm
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter as WorkersIterator

__all__ = ["AnyBatchNorm", "FakeTensorMode", "WorkersIterator", "signal_at_death_of_parent"]


def cpu_has_bf16() -> bool:
    """Whether oneDNN has instructions for bfloat16 on this CPU."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def lerp_each(averages: Sequence[Tensor], values: Sequence[Tensor], weight: float) -> None:
    """Move every tensor towards its partner, in place, by one call for all of them."""
    torch._foreach_lerp_(list(averages), list(values), weight)


def multiply_each(tensors: Sequence[Tensor], factor: Tensor) -> None:
    """Multiply every tensor by the same scalar, in place, by one call for all of them."""
    if tensors:
        torch._foreach_mul_(list(tensors), factor)


def keep_buffers_of_backward() -> None:
    """Have compiled graphs leave their saved tensors alone, so that several gradients can be taken of one graph."""
    functorch.donated_buffer = False


def identity(storage: torch.UntypedStorage) -> int:
    """A number that two tensors share if they share their storage; tensors without values have no address."""
    return int(storage._cdata)


def parts_of(scheduler: LRScheduler) -> list[LRScheduler]:
    """The schedulers that a scheduler consists of; none for a simple one."""
    return list(getattr(scheduler, "_schedulers", []))


def pass_over(optimizer: Optimizer) -> None:
    """Tell schedulers that the optimizer is stepped before them, as it is in iterations in which it may step."""
    optimizer._opt_called = True  # type: ignore[attr-defined]


def workers_of(loader: DataLoader[Any]) -> WorkersIterator | None:
    """What a loader's persistent workers hang on; None where it has none."""
    iterator = loader._iterator
    return iterator if isinstance(iterator, WorkersIterator) else None


def stop_watching(workers: WorkersIterator) -> None:
    """Have torch not take the end of these workers for a failure."""
    if workers._worker_pids_set:
        torch._C._remove_worker_pids(id(workers))
        workers._worker_pids_set = False


def shut_down(workers: WorkersIterator) -> None:
    """End the workers, and wait for them without a limit."""
    workers._shutdown_workers()


def processes_of(workers: WorkersIterator) -> Sequence[BaseProcess]:
    return list(workers._workers)
