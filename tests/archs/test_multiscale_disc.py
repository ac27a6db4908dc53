"""MultiscalePatchDiscriminator: what each scale sees, and what is too small."""

import pytest
import torch
from tiny_nets import noise
from torch import Tensor

from sr.archs.multiscale_disc import MultiscalePatchDiscriminator


def tiny(*, num_layer: int = 1, num_scale: int = 3) -> MultiscalePatchDiscriminator:
    torch.manual_seed(0)
    return MultiscalePatchDiscriminator(num_feat=2, num_layer=num_layer, num_scale=num_scale)


def halved(image: Tensor) -> Tensor:
    """The mean of the pixels within one of every second pixel, written out."""
    height, width = image.shape[-2:]
    rows = [image[..., max(y - 1, 0) : y + 2, :].mean(-2) for y in range(0, height, 2)]
    tall = torch.stack(rows, dim=-2)
    return torch.stack([tall[..., max(x - 1, 0) : x + 2].mean(-1) for x in range(0, width, 2)], dim=-1)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 46)])
def test_each_scale_judges_the_image_at_half_the_size_of_the_one_before(height: int, width: int) -> None:
    net, image = tiny(), noise(2, 3, height, width)
    found = net(image)
    assert len(found) == 3
    for logits, discriminator in zip(found, net.discriminators, strict=True):
        torch.testing.assert_close(logits, discriminator(image), rtol=1e-4, atol=1e-5)
        image = halved(image)


def test_discriminators_share_nothing() -> None:
    net = tiny()
    logits = net(noise(1, 3, 32, 32))
    for number, each in enumerate(logits):
        grads = torch.autograd.grad(each.sum(), [*net.parameters()], allow_unused=True, retain_graph=True)
        used = {
            name.split(".")[1]
            for (name, _), grad in zip(net.named_parameters(), grads, strict=True)
            if grad is not None
        }
        assert used == {str(number)}


@pytest.mark.parametrize(("num_layer", "num_scale", "smallest"), [(1, 1, 6), (1, 3, 21), (3, 3, 93)])
def test_the_smallest_image(num_layer: int, num_scale: int, smallest: int) -> None:
    net = tiny(num_layer=num_layer, num_scale=num_scale)
    assert net(noise(1, 3, smallest, smallest))[-1].numel() > 0
    with pytest.raises(ValueError, match=f"image size {smallest}x{smallest - 1} must be at least {smallest}"):
        net(noise(1, 3, smallest, smallest - 1))


def test_errors_name_the_argument() -> None:
    with pytest.raises(ValueError, match=r"num_scale=0 must be 1 or more"):
        tiny(num_scale=0)
