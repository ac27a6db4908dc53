"""`net.compile()` under bf16 autocast gives the gradients of the eager net (docs: design, traps)."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from sr.archs.patch_disc import PatchDiscriminator
from sr.archs.rrdbnet import RRDBNet
from sr.archs.srresnet import SRResNet
from sr.archs.srvgg import SRVGGNetCompact
from sr.archs.unet_disc import UNetDiscriminator
from sr.archs.vgg_disc import VGGDiscriminator

NETS: dict[str, Callable[[], nn.Module]] = {
    "rrdbnet": lambda: RRDBNet(scale=2, num_feat=8, num_block=1, num_grow_ch=4),
    "srvgg": lambda: SRVGGNetCompact(scale=2, num_feat=8, num_conv=1, skip="bicubic"),
    "srresnet": lambda: SRResNet(scale=2, num_feat=8, num_block=1),
    "unet_disc": lambda: UNetDiscriminator(num_feat=8),
    "vgg_disc": lambda: VGGDiscriminator(num_feat=4, patch_size=32),
    "patch_disc": lambda: PatchDiscriminator(num_feat=8, num_layer=2),
}


def loss_and_gradients(net: nn.Module, image: Tensor) -> tuple[float, dict[str, Tensor]]:
    with torch.autocast("cpu", torch.bfloat16):
        output = net(image)
    # Weighted, so that no gradient vanishes by symmetry (a norm's output sums to zero whatever comes before
    # it).
    weight = torch.rand(output.shape, generator=torch.Generator().manual_seed(2))
    loss = (weight * (output.float() - 0.3).square()).mean()
    loss.backward()
    gradients = {}
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        gradients[name] = parameter.grad
    return loss.item(), gradients


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_compiled_gradients_equal_eager_ones(name: str) -> None:
    torch.manual_seed(0)
    eager = NETS[name]()
    compiled = NETS[name]()
    compiled.load_state_dict(eager.state_dict())
    torch.compiler.reset()
    compiled.compile(fullgraph=True)
    image = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))

    loss, expected = loss_and_gradients(eager, image)
    compiled_loss, gradients = loss_and_gradients(compiled, image)
    assert compiled_loss == pytest.approx(loss, rel=0.02)
    largest = max(gradient.norm().item() for gradient in expected.values())
    for parameter, gradient in expected.items():
        # bf16 keeps 8 bits, so sums in another order differ by percents; a lost gradient differs by 100 %.
        tolerance = 0.1 * gradient.norm().item() + 1e-4 * largest
        assert (gradients[parameter] - gradient).norm().item() <= tolerance, parameter
    for buffer, value in eager.named_buffers():  # spectral norm's u and v, batch norm's statistics
        torch.testing.assert_close(compiled.get_buffer(buffer), value, rtol=0.02, atol=0.02)
