"""How alike channels are, against a product of normalised channels."""

import torch
from tiny_nets import noise
from torch import nn

from sr.archs.channel_scores import cosines


def test_cosines_equal_the_products_of_normalised_channels() -> None:
    query, key = noise(2, 3, 5, 7) - 0.5, noise(2, 3, 5, 7, seed=2) - 0.5
    normal = nn.functional.normalize
    torch.testing.assert_close(cosines(query, key), normal(query, dim=-1) @ normal(key, dim=-1).mT)
    assert not cosines(torch.zeros(1, 2, 4), torch.ones(1, 2, 4)).any()
