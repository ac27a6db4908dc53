"""SPAN: the numbers of the published code, and merged convolutions that are right whatever happened before."""

import copy

import pytest
import torch
import torch.nn.functional as F
from tiny_nets import lively, noise
from torch import Tensor, nn

from sr.archs.span import SPAB, SPAN, Conv3XC
from sr.training.ema import ema_copy, update_ema
from sr.weights.describe import describe
from sr.weights.match import fit


def tiny(**options: bool | int) -> SPAN:
    net = lively(SPAN(scale=2, num_feat=8, **{"norm": False, **options}))  # type: ignore[arg-type]
    assert isinstance(net, SPAN)
    return net


def branches(conv: Conv3XC, features: Tensor) -> Tensor:
    """What the paper trains (fig. 4): pad, expand, convolve, shrink, and add the skip."""
    wide: Tensor = conv.conv(F.pad(features, (1, 1, 1, 1)))
    return wide + conv.sk(features)


@pytest.mark.parametrize(("num_feat", "count"), [(52, 498_208), (48, 426_288)])
def test_published_size(num_feat: int, count: int) -> None:
    """The paper counts merged convolutions: 498 K and 426 K (tab. 1)."""
    weights = SPAN(num_feat=num_feat).state_dict()
    branches = (".sk.", ".conv.")
    assert (
        sum(value.numel() for key, value in weights.items() if not any(b in key for b in branches)) == count
    )


def test_numbers_of_the_published_code() -> None:
    """By spandrel 0.4.2's SPAN in evaluation, with the weights of `lively`."""
    published = {
        (8, 8): [0.034181, 0.049167, -0.188567, 0.742195, 0.032863],
        (9, 7): [0.016389, 0.107305, -0.129993, 0.584871, 0.047731],
    }
    for (height, width), expected in published.items():
        with torch.no_grad():
            sr = tiny()(noise(1, 3, height, width)).flatten()
        assert sr[:: sr.numel() // 5][:5].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_one_convolution_equals_the_branches_borders_and_gradients_included(training: bool) -> None:
    conv = lively(Conv3XC(3, 4)).train(training).double()
    image = noise(2, 3, 5, 4).double()
    assert isinstance(conv, Conv3XC)
    torch.testing.assert_close(conv(image), branches(conv, image))
    weight = noise(2, 4, 5, 4).double()
    expected = torch.autograd.grad((branches(conv, image) * weight).sum(), [*conv.parameters()])
    found = torch.autograd.grad((conv(image) * weight).sum(), [*conv.parameters()])
    torch.testing.assert_close(found, expected)


def merged_again(net: nn.Module) -> bool:
    """Whether `eval_conv` computes what the branches do."""
    conv = net.conv_1
    assert isinstance(conv, Conv3XC)
    image = noise(1, 3, 6, 6)
    stored = F.conv2d(image, conv.eval_conv.weight, conv.eval_conv.bias, padding=1)
    return torch.allclose(stored, branches(conv, image), atol=1e-5)


def test_nothing_leaves_old_weights_behind() -> None:
    net, image = tiny(), noise(1, 3, 9, 8)
    copies = {"deepcopy": copy.deepcopy(net), "average": ema_copy(net)}
    with torch.no_grad():
        before = net(image)
        for parameter in net.parameters():
            parameter.mul_(1.1)
        net.train()
        after = net(image)
        assert (after - before).abs().max() > 0.01  # the change is seen at once,
        assert torch.equal(net.eval()(image), after)  # and alike in training and evaluation
        assert all(torch.equal(each(image), before) for each in copies.values())
        update_ema(copies["average"], net, decay=0.0, iteration=1)
        assert torch.allclose(copies["average"](image), after, atol=1e-5)
    assert merged_again(net)
    copies["average"].state_dict()
    assert merged_again(copies["average"])


@pytest.mark.parametrize("stored", ["fresh", "old", "none"])
def test_files_with_old_merged_weights_or_none(stored: str) -> None:
    net = tiny()
    weights = net.state_dict()
    for key in [key for key in weights if "eval_conv" in key]:
        if stored == "old":
            weights[key] = torch.zeros_like(weights[key])
        elif stored == "none":
            del weights[key]
    again = SPAN(scale=2, num_feat=8, norm=False).eval()
    assert fit(again, weights).complete
    again.load_state_dict(weights)
    with torch.no_grad():
        assert torch.equal(again(noise(1, 3, 9, 8)), net(noise(1, 3, 9, 8)))
    assert merged_again(again)


def test_a_missing_branch_is_still_missed() -> None:
    weights = tiny().state_dict()
    del weights["block_2.c1_r.sk.bias"]
    assert fit(tiny(), weights).missing == ("block_2.c1_r.sk.bias",)


def test_normalised_input() -> None:
    """DIV2K's mean off, times 255; the output stays as it is (spandrel and the published code)."""
    plain = tiny()
    normed = SPAN(scale=2, num_feat=8, norm=True).eval()
    assert set(plain.state_dict()) - set(normed.state_dict()) == {"no_norm"}
    normed.load_state_dict({key: value for key, value in plain.state_dict().items() if key != "no_norm"})
    image = noise(1, 3, 9, 8).double()
    mean = torch.tensor([0.4488, 0.4371, 0.4040]).double().reshape(1, 3, 1, 1)
    torch.testing.assert_close(normed.double()(image), plain.double()((image - mean) * 255))
    description = describe(normed.state_dict())
    assert description is not None and (description["norm"], description["img_range"]) == (True, 255.0)


def test_attention_is_a_function_of_the_features() -> None:
    """O = (I + H) * (sigmoid(H) - 1/2): H = 0 gives zero, and a large H of either sign is halved with its sign off."""
    block = SPAB(num_feat=2)
    for parameter in block.c3_r.parameters():
        nn.init.zeros_(parameter)
    features = noise(1, 2, 4, 4)
    assert not block(features)[0].any()
    for sign in (1.0, -1.0):
        nn.init.constant_(block.c3_r.sk.bias, 100 * sign)
        torch.testing.assert_close(block(features)[0], (features + 100 * sign) * sign / 2)


def test_channels_that_differ() -> None:
    net = SPAN(scale=3, in_channels=1, out_channels=3, num_feat=4, num_block=2)
    assert net(noise(1, 1, 5, 4)).shape == (1, 3, 15, 12)
    description = describe(net.state_dict())
    assert description is not None
    assert (description["in_channels"], description["out_channels"], description["scale"]) == (1, 3, 3)
    weights = net.state_dict() | {"upsampler.0.weight": torch.zeros(7, 4, 3, 3)}
    with pytest.raises(ValueError, match="a SPAN with 1 input channels whose last convolution has 7 outputs"):
        describe(weights)


def test_errors_name_the_argument() -> None:
    with pytest.raises(ValueError, match=r"num_block=0 must be 1 or more"):
        SPAN(num_block=0)
    with pytest.raises(ValueError, match=r"img_range=0 must be more than 0"):
        SPAN(img_range=0)
