import torch
from torch import nn

from sr.training.ema import ema_copy, update_ema


def test_average_is_frozen_and_follows_the_formula() -> None:
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, 0.0)
    average = ema_copy(net)
    assert not any(parameter.requires_grad for parameter in average.parameters())
    assert not average.training
    expected = 0.0
    for iteration, value in enumerate([1.0, 3.0, -2.0]):
        nn.init.constant_(net.weight, value)
        update_ema(average, net, decay=0.15, iteration=iteration)
        decay = min(0.15, (1 + iteration) / (10 + iteration))
        expected = decay * expected + (1 - decay) * value
    torch.testing.assert_close(average.weight.item(), expected)


def test_the_warm_up_ends_at_the_decay() -> None:
    net = nn.Linear(1, 1, bias=False)
    average = ema_copy(net)
    nn.init.constant_(average.weight, 0.0)
    nn.init.constant_(net.weight, 1.0)
    update_ema(average, net, decay=0.999, iteration=10_000_000)
    torch.testing.assert_close(average.weight.item(), 0.001, atol=1e-6, rtol=0)


def test_buffers_are_copied() -> None:
    net = nn.BatchNorm2d(2)
    average = ema_copy(net)
    net(torch.randn(4, 2, 3, 3) + 5)
    update_ema(average, net, decay=0.999, iteration=0)
    assert torch.equal(average.running_mean, net.running_mean)
    assert average.num_batches_tracked == 1
