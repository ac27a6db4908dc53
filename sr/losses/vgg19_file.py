"""The file of VGG19's weights: where it lies, whether it can be fetched, and what to do without it.

Apart from the net, so that a run can say what it lacks before torch is imported.
"""

import http.client
import os
import threading
import urllib.error
import urllib.request
from pathlib import Path

WEIGHTS_FILE = "vgg19-dcbb9e9d.pth"  # ends with the start of its SHA-256, which the file is checked against
WEIGHTS_URL = f"https://download.pytorch.org/models/{WEIGHTS_FILE}"

ANSWER = 5.0  # seconds that the server has for its first answer


def cached_file() -> Path:
    """The place of the file in the torch hub cache, by the environment variables that torch.hub reads."""
    caches = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"))
    home = Path(os.environ.get("TORCH_HOME", caches / "torch")).expanduser()
    return home / "hub" / "checkpoints" / WEIGHTS_FILE


def without_weights(cached: Path, error: Exception) -> str:
    """The message where there is no file and the download has failed.

    Args:
        cached: the place of the file in the cache.
        error: the error that ended the download.
    """
    return (
        f"no VGG19 weights for the perceptual loss: {cached} does not exist and the download of "
        f"{WEIGHTS_URL} failed ({error}). Put the file {WEIGHTS_FILE} there, or point to it with "
        "loss.perceptual.loss.weights=<path>, or train without this loss, L1 and the GAN in the balance that "
        "docs/results.md found good: '~loss.perceptual' loss.l1.weight=1 model.gan_weight=1e-3 "
        "(without the last where model=psnr)"
    )


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
