"""Descriptions of nets from tensors that somebody else has made: a description, None, or an error that is caught."""

from contextlib import suppress

import pytest
import torch
from tiny_nets import DISCRIMINATORS, GENERATORS

from sr.weights.describe import ARCHITECTURES, describe
from sr.weights.dialects import translate

JUNK = [torch.zeros(()), torch.zeros(0), torch.zeros(3), torch.zeros(0, 0, 1, 1), torch.zeros(7, 5, 3, 3)]


@pytest.mark.parametrize("name", GENERATORS)
def test_odd_shapes_and_missing_tensors_raise_nothing_else(name: str) -> None:
    weights = GENERATORS[name](scale=2).state_dict()
    for key in weights:
        without = {other: value for other, value in weights.items() if other != key}
        for odd in (without, *({**weights, key: junk} for junk in JUNK)):
            with suppress(ValueError, IndexError, ArithmeticError):  # which the reader of files expects
                describe(translate(odd)[1])


@pytest.mark.parametrize("name", GENERATORS)
def test_no_two_architectures_claim_a_net(name: str) -> None:
    weights = GENERATORS[name](scale=2).state_dict()
    found = [architecture(weights) for architecture in ARCHITECTURES.values()]
    assert len([each for each in found if each]) <= 1


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_no_discriminator_is_taken_for_a_generator(name: str) -> None:
    assert describe(translate(DISCRIMINATORS[name]().state_dict())[1]) is None
