"""The files of ImageNet weights: where they lie, whether they can be fetched, and what is said without them.

Apart from the nets, so that a run can say what it lacks before torch is imported.
"""

import http.client
import os
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ANSWER = 5.0  # seconds that the server has for its first answer


@dataclass(frozen=True)
class WeightsFile:
    """A file of torchvision's weights.

    Attributes:
        title: the name of the net in messages, as `VGG19`.
        name: the name of the file; it ends with the start of its SHA-256, which the file is checked against.
    """

    title: str
    name: str

    @property
    def url(self) -> str:
        return f"https://download.pytorch.org/models/{self.name}"

    def cached(self) -> Path:
        """The place of the file in the torch hub cache, by the environment variables that torch.hub reads."""
        caches = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"))
        home = Path(os.environ.get("TORCH_HOME", caches / "torch")).expanduser()
        return home / "hub" / "checkpoints" / self.name

    def without(self, cached: Path, error: Exception, *, key: str, otherwise: str) -> str:
        """The message where there is no file and the download has failed.

        Args:
            cached: the place of the file in the cache.
            error: the error that ended the download.
            key: the key that takes a path to the file.
            otherwise: the way to do without the file, with its `or`.
        """
        return (
            f"no {self.title} weights ({key}): {cached} does not exist and the download of {self.url} failed"
            f" ({error}). Put the file {self.name} there, or point to it with {key}=<path>{otherwise}"
        )


FILES = {
    "vgg19": WeightsFile("VGG19", "vgg19-dcbb9e9d.pth"),
    "vgg16": WeightsFile("VGG16", "vgg16-397923af.pth"),
    "alexnet": WeightsFile("AlexNet", "alexnet-owt-7be5be79.pth"),
    "squeezenet": WeightsFile("SqueezeNet 1.1", "squeezenet1_1-b8a52dc0.pth"),
}


def wait_for_answer(url: str) -> None:
    """Wait for the first answer of a server. Raises OSError or HTTPException after `ANSWER` seconds without one.

    It asks in a thread, since no limit can be set for the time that looking up a name takes.
    """
    faults: list[Exception] = [TimeoutError(f"no answer within {ANSWER:.0f} seconds")]

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=ANSWER).close()
        except urllib.error.HTTPError:  # this is an answer too; the download reports what it means
            pass
        except (OSError, http.client.HTTPException) as error:
            faults[0] = error
            return
        faults.clear()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(ANSWER)
    for fault in faults:
        raise fault
