"""What nets draw in an iteration (dropout)."""

import numpy as np
import torch


def seed_iteration(*, seed: int, process: int, iteration: int, device: torch.device) -> None:
    """Seed torch by a function of its arguments, so that a resumed run draws what an uninterrupted one would.

    Args:
        seed: the seed of the run.
        process: the rank of this process among all processes.
        iteration: the iteration, counted from 0.
        device: the device that trains.
    """
    sequence = np.random.SeedSequence((seed, process, iteration))
    drawn = int(sequence.generate_state(1)[0])
    torch.default_generator.manual_seed(drawn)  # torch.manual_seed takes 0.1 ms to look for devices
    if device.type == "cuda":
        torch.cuda.manual_seed(drawn)
