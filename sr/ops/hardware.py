"""The device, the precision and the memory of this machine."""

import os
from pathlib import Path

import torch

from sr.ops import private_torch

CHOICES = "choose auto, cpu, cuda, cuda:N or mps"
UNKNOWN_MEMORY = 2 * 2**30  # bytes that are taken as free where the system does not say


def pick_device(name: str) -> torch.device:
    """`auto` is the GPU where there is one, of Nvidia or AMD (cuda) or of Apple (mps).

    Raises:
        ValueError: the device is unknown or missing; the message names the choices.
    """
    if name == "auto":
        there = (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()))
        name = next((gpu for gpu, available in there if available), "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device={name}: {CHOICES}") from error
    if device.type not in ("cpu", "cuda", "mps"):
        raise ValueError(f"device={name}: {CHOICES}")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError(f"device={name}: this machine has no GPU of Apple that torch can use")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={name}: this machine has no GPU that torch can use")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device={name}: this machine has {torch.cuda.device_count()} GPU(s)")
    return device


def has_bf16(device: torch.device) -> bool:
    """Whether the device has instructions for bf16; emulated bf16 is many times slower than fp32.

    Of Apple's GPUs this is not known here, so they compute in fp32.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and cpu_has_bf16()


def has_fast_fp16(device: torch.device) -> bool:
    """Whether training in fp16 is faster than in fp32: on GPUs from Volta and Turing on, but not on older GPUs, most of
    which compute fp16 at a 64th of the speed of fp32, nor on CPUs, whose instructions for it torch seldom uses."""
    gpu = device.type == "cuda" and torch.cuda.is_available()
    return gpu and torch.cuda.get_device_capability(device) >= (7, 0)


def training_layout(device: torch.device) -> torch.memory_format:
    """The memory format in which nets train fastest on the device; validation and evaluation have it too.

    channels_last with CUDA and on CPUs with AVX-512. On CPUs with AVX2 alone its backward pass is slower than that of
    the usual layout (docs/performance.md), so it is chosen only where it was measured to be faster.
    """
    wide = device.type == "cpu" and "AVX512" in torch.backends.cpu.get_cpu_capability()
    fast = wide or device.type == "cuda"
    return torch.channels_last if fast else torch.contiguous_format


def inference_layout(device: torch.device) -> torch.memory_format:
    """The memory format in which nets run fastest without a backward pass: channels_last, except on Apple's GPUs, whose
    convolutions copy such tensors first."""
    return torch.contiguous_format if device.type == "mps" else torch.channels_last


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def release_memory(device: torch.device) -> None:
    """Give back what torch keeps of the memory of a GPU for later."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    if device.type == "mps":
        torch.mps.empty_cache()


def cpu_has_bf16() -> bool:
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return private_torch.cpu_has_bf16()


def free_memory(device: torch.device) -> int:
    """The bytes that are free without swapping; for a CPU, within the limit of the container."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return max(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory(), 0)
    free = _available_memory()
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit.is_file() and used.is_file() and (words := limit.read_text().strip()) != "max":
        free = min(free, max(int(words) - int(used.read_text()), 0))
    return free


def used_memory(device: torch.device) -> int | None:
    """The bytes that this process uses: on a GPU the most that its tensors took so far, on Apple's GPUs and on a CPU
    what it holds now.

    None for a CPU where the system does not tell it (outside Linux).
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if device.type == "mps":
        return torch.mps.driver_allocated_memory()
    counts = Path("/proc/self/statm")  # in pages: of the whole process, then of what is in memory
    return int(counts.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if counts.is_file() else None


def _available_memory() -> int:
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    if not hasattr(os, "sysconf"):  # on Windows the standard library does not know it
        return UNKNOWN_MEMORY
    # On macOS it only knows the total memory; half of it is a safe guess.
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
