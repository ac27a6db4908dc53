"""The advice for a run that waits for its data."""

import os

import pytest

from sr.callbacks.data_wait import remedy
from sr.ops.cores import usable_cores


@pytest.mark.parametrize(
    ("share", "workers", "processes", "expected"),
    [
        (0.3, 4, 1, "raise data.num_workers from 4 to 6 (this machine has 16 core(s))"),
        (0.06, 4, 1, "raise data.num_workers from 4 to 5 "),
        (0.9, 4, 1, "raise data.num_workers from 4 to 16 "),
        (0.06, 0, 1, "raise data.num_workers from 0 to 1 "),
        (0.75, 0, 1, "raise data.num_workers from 0 to 3 "),  # 3 seconds of loading for 1 of training
        (0.5, 4, 2, "raise data.num_workers from 4 to 8 (this machine has 16 core(s) for 2 processes)"),
        (0.5, 8, 2, "data.num_workers=8 keeps this machine's 16 core(s) for 2 processes busy"),
        (0.5, 0, 32, "raise data.num_workers from 0 to 1 "),
        (0.5, 20, 1, "cheaper to load: a smaller data.hr_patch_size, a cheaper degradation"),
    ],
)
def test_remedy(share: float, workers: int, processes: int, expected: str) -> None:
    assert expected in remedy(share=share, workers=workers, cores=16, processes=processes, decodes=False)


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        (
            4,
            "set data.cache=disk (or ram), which decodes an image only once, or raise data.num_workers from 4",
        ),
        (
            16,
            "cheaper to load: data.cache=disk (or ram), which decodes an image only once, a smaller data.hr_",
        ),
    ],
)
def test_a_cache_is_advised_where_files_are_decoded(workers: int, expected: str) -> None:
    assert expected in remedy(share=0.3, workers=workers, cores=16, processes=1, decodes=True)


def test_usable_cores_without_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert usable_cores() == os.cpu_count()
