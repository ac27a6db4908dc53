"""What other programs make of our weights; each line was checked with spandrel 0.4.2."""

from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from sr.archs.edsr import EDSR
from sr.archs.plksr import PLKSR
from sr.archs.rcan import RCAN
from sr.archs.realplksr import RealPLKSR
from sr.archs.rrdbnet import RRDBNet
from sr.archs.span import SPAN
from sr.archs.srvgg import SRVGGNetCompact
from sr.export.other_tools import warnings_for
from sr.weights.described import complete


def warnings(kind: type[nn.Module], **arguments: Any) -> list[str]:
    words = complete({"num_feat": 8, **arguments}, kind)
    built = kind(**{key: value for key, value in words.items() if key != "_target_"})
    trained: Any = SimpleNamespace(
        net=built,
        name=kind.__name__,
        scale=words["scale"],
        channels=words["in_channels"],
        description=words,
    )
    assert not warnings_for(trained, "onnx")
    return warnings_for(trained, "pth")


GRAY = {"in_channels": 1, "out_channels": 1}


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (SPAN, {}),
        (SPAN, {"norm": False, "img_range": 1.0, **GRAY}),
        (PLKSR, {"num_block": 2}),
        (RealPLKSR, {"num_block": 2, "norm_groups": 2}),
        (RCAN, {"num_group": 2, "num_block": 2}),
        (RCAN, {"num_group": 2, "num_block": 2, "scale": 1, "num_feat": 64}),
        (RRDBNet, {"num_block": 1}),
    ],
)
def test_published_forms_are_read(kind: type[nn.Module], arguments: dict[str, Any]) -> None:
    assert warnings(kind, **arguments) == []


@pytest.mark.parametrize(
    ("kind", "arguments", "warning"),
    [
        (SPAN, {"num_block": 2}, "refuse a SPAN with num_block=2"),
        (SPAN, {"img_range": 1.0}, "OTHER IMAGES without an error: no tensor tells img_range=1.0"),
        (SPAN, GRAY, "refuse channels=1 with norm=true"),
        (PLKSR, GRAY, "refuse channels=1"),
        (RealPLKSR, {"norm_groups": 2, "layer_norm": False}, "no tensor tells norm_groups=2"),
        (RCAN, {"num_group": 1, "num_block": 1, "scale": 1}, "refuse an RCAN x1 with num_feat=8"),
        (EDSR, {}, "do not know the architecture EDSR"),
        (SRVGGNetCompact, {"activation": "relu"}, "do not know an SRVGGNetCompact with activation=relu"),
        (RRDBNet, {"num_block": 1, "plus": True}, "read ESRGAN\\+ under the names of 2018 alone"),
    ],
)
def test_surprises_are_named(kind: type[nn.Module], arguments: dict[str, Any], warning: str) -> None:
    (found,) = warnings(kind, **arguments)
    with pytest.raises(ValueError, match=warning):
        raise ValueError(found)
