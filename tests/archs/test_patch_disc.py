"""PatchDiscriminator: pix2pix's size, the receptive field, and images that do not see each other."""

import pytest
import torch
from torch import Tensor, nn

from sr.archs.patch_disc import PatchDiscriminator


def tiny(*, num_layer: int = 3, channels: int = 3) -> PatchDiscriminator:
    torch.manual_seed(0)
    return PatchDiscriminator(in_channels=channels, num_feat=2, num_layer=num_layer)


def random_image(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def test_published_number_of_parameters() -> None:
    """pix2pix prints 2.769 M for its discriminator, which sees input and output together (6 channels)."""
    with torch.device("meta"):
        net = PatchDiscriminator(in_channels=6)
    assert sum(parameter.numel() for parameter in net.parameters()) == 2_768_705


@pytest.mark.parametrize(("num_layer", "field"), [(1, 16), (2, 34), (3, 70)])
def test_receptive_field(num_layer: int, field: int) -> None:
    net = tiny(num_layer=num_layer)
    # The norm's statistics reach over the whole image; the receptive field is that of the convolutions.
    for index, layer in enumerate(net.body):
        if isinstance(layer, nn.InstanceNorm2d):
            net.body[index] = nn.Identity()
    image = random_image(1, 3, 96, 96).requires_grad_()
    logits = net(image)
    middle = logits.shape[-1] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, middle, middle], image)
    seen = gradient[0].abs().sum(0) > 0
    rows, columns = seen.any(1).nonzero().flatten(), seen.any(0).nonzero().flatten()
    assert rows.min() > 0 and rows.max() < 95  # no part of the field lies outside the image
    assert (len(rows), len(columns)) == (field, field)
    assert rows[-1] - rows[0] == field - 1 and columns[-1] - columns[0] == field - 1


@pytest.mark.parametrize("num_layer", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(24, 24), (47, 64)])
def test_shape_of_the_logits(num_layer: int, height: int, width: int) -> None:
    logits = tiny(num_layer=num_layer)(random_image(2, 3, height, width))
    assert logits.shape == (2, 1, height // 2**num_layer - 2, width // 2**num_layer - 2)


def test_images_of_a_batch_do_not_see_each_other() -> None:
    net = tiny()
    images = random_image(3, 3, 32, 32) * torch.tensor([0.1, 1.0, 10.0]).reshape(3, 1, 1, 1)
    alone = torch.cat([net(image[None]) for image in images])
    torch.testing.assert_close(net(images), alone, rtol=1e-4, atol=1e-5)


def test_every_layer_but_the_first_and_the_last_is_normalised() -> None:
    """A constant added in front of a normalised layer changes nothing; the first layer has to notice it."""
    net = tiny()
    layers = [layer for layer in net.body if not isinstance(layer, nn.LeakyReLU)]
    conv, norm = nn.Conv2d, nn.InstanceNorm2d
    assert [type(layer) for layer in layers] == [conv, conv, norm, conv, norm, conv, norm, conv]
    channels = [layer.out_channels for layer in layers if isinstance(layer, conv)]
    assert channels == [2, 4, 8, 16, 1]
    assert PatchDiscriminator(num_feat=2, num_layer=5).body[-1].in_channels == 16  # never above 8 * num_feat
    image = random_image(1, 3, 32, 32)
    assert (net(image) - net(image - 0.5)).abs().max() > 1e-2


@pytest.mark.parametrize("channels", [1, 7])
def test_any_number_of_channels(channels: int) -> None:
    assert tiny(channels=channels)(random_image(2, channels, 32, 32)).shape == (2, 1, 2, 2)


def test_errors_name_the_value_and_the_requirement() -> None:
    with pytest.raises(ValueError, match=r"num_layer=0 must be 1 or more"):
        PatchDiscriminator(num_layer=0)
    with pytest.raises(ValueError, match=r"image size 64x23 must be at least 24"):
        tiny()(random_image(1, 3, 64, 23))
