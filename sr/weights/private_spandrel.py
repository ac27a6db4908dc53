"""The name of spandrel that is not public, in one place: an upgrade that loses it fails in
tests/weights/test_spandrel_nets.py.
"""

from collections.abc import Callable
from typing import Any


def call_of(descriptor: Any) -> Callable[..., Any]:
    """How spandrel runs a net, without the clamp of its public call, which would stop gradients: (net, image) -> image.

    Some nets return more than an image, or want the image in another range.
    """
    call: Callable[..., Any] = descriptor._call_fn
    return call
