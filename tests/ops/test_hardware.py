"""Devices by name, and memory that is there."""

import os
from pathlib import Path

import pytest
import torch

from sr.ops.hardware import (
    free_memory,
    has_bf16,
    has_fast_fp16,
    inference_layout,
    pick_device,
    training_layout,
    used_memory,
)


def test_devices() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto").type in ("cpu", "cuda", "mps")
    for name in ("abacus", "meta", "cuda:x"):
        with pytest.raises(ValueError, match=f"device={name}: choose auto, cpu, cuda, cuda:N or mps"):
            pick_device(name)
    with pytest.raises(ValueError, match="device=cuda:99: this machine has"):
        pick_device("cuda:99")


def test_a_gpu_of_apple_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated: no such GPU is at hand."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device("auto").type == "cpu"
    with pytest.raises(ValueError, match="device=mps: this machine has no GPU of Apple"):
        pick_device("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device("auto") == pick_device("mps") == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert pick_device("auto") == torch.device("cuda")


def test_what_is_slow_on_gpus_of_apple_is_avoided(monkeypatch: pytest.MonkeyPatch) -> None:
    apple = torch.device("mps")
    assert inference_layout(apple) == training_layout(apple) == torch.contiguous_format
    assert inference_layout(torch.device("cpu")) == torch.channels_last
    assert not has_bf16(apple)
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 8 * 2**30)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 2**30)
    assert free_memory(apple) == 7 * 2**30
    assert used_memory(apple) == 2**30


def test_bf16_is_what_the_processor_says() -> None:
    words = Path("/proc/cpuinfo")
    if not words.is_file():
        pytest.skip("no /proc/cpuinfo")
    text = words.read_text()
    # oneDNN computes bf16 with AVX-512 (emulated but worth it, as on avx512bw) and with its own instructions.
    if "avx512" not in text and "bf16" not in text.lower():
        assert not has_bf16(torch.device("cpu"))
    if "avx512_bf16" in text:
        assert has_bf16(torch.device("cpu"))


@pytest.mark.parametrize(
    ("capability", "fast"), [((6, 1), False), ((7, 0), True), ((7, 5), True), ((9, 0), True)]
)
def test_fp16_is_fast_on_gpus_from_volta_on(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], fast: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert has_fast_fp16(torch.device("cuda")) == fast
    assert not has_fast_fp16(torch.device("cpu"))


def test_free_memory_is_no_more_than_the_machine_has() -> None:
    free = free_memory(torch.device("cpu"))
    assert free > 2**24
    total = Path("/proc/meminfo")
    if total.is_file():
        assert free <= int(total.read_text().split()[1]) * 1024


def test_where_the_system_says_nothing_of_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS, which has no /proc, and on Windows, which has no sysconf either."""
    monkeypatch.setattr(Path, "is_file", lambda self: False)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert free_memory(torch.device("cpu")) == total // 2
    monkeypatch.delattr(os, "sysconf")
    assert free_memory(torch.device("cpu")) == 2 * 2**30


@pytest.mark.parametrize(
    ("device", "cpu", "expected"),
    [
        ("cuda", "AVX2", torch.channels_last),
        ("cpu", "AVX512", torch.channels_last),
        ("mps", "AVX512", torch.contiguous_format),
        ("cpu", "AVX2", torch.contiguous_format),
        ("cpu", "DEFAULT", torch.contiguous_format),
    ],
)
def test_the_layout_follows_the_device(
    monkeypatch: pytest.MonkeyPatch, device: str, cpu: str, expected: torch.memory_format
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: cpu)
    assert training_layout(torch.device(device)) == expected


def test_used_memory_grows_with_what_is_held() -> None:
    before = used_memory(torch.device("cpu"))
    if before is None:
        pytest.skip("this system does not tell it")
    held = torch.ones(64 * 2**20, dtype=torch.uint8)
    after = used_memory(torch.device("cpu"))
    assert after is not None
    assert after - before > 0.9 * len(held)
