"""The checkpoints of a run on the disk: their names, their content, and whether they are complete.

A checkpoint is a dict, written by torch.save:

| key | content | written by |
|---|---|---|
| `state_dict` | weights under `generator.`, `generator_ema.` and `discriminator.` | Lightning |
| `optimizer_states`, `lr_schedulers` | momenta and positions, in the order of `SRModule.trained` | Lightning |
| `loops`, `epoch`, `global_step` | the position of the run; `global_step` counts generator updates | Lightning |
| `callbacks` | values of the best checkpoints, whether the run has gone back once | `sr.callbacks` |
| `training` | sums for the next log, numbers of skipped iterations, gradient scales of fp16 | `sr.training.base` |
| `config` | the resolved configuration as plain dicts | `sr.callbacks.config_record` |
| `provenance` | revision of the code, digest of the image list, last validation | `sr.callbacks.provenance` |
"""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from sr.ops.weight_file import CheckpointError, check_finite, read_weight_file
from sr.run.checkpoint_names import BEST, LAST

log = logging.getLogger(__name__)


def newest_intact(folder: Path) -> Path | None:
    """The newest complete checkpoint, or None; a damaged one is named in the log.

    The best checkpoints, which are older, are taken only where no other is left.
    """
    for path in (path for kind in (LAST, BEST) for path in _by_index(folder, kind)):
        wrong = fault(path)
        if wrong is None:
            return path
        log.warning("%s is damaged (%s): the one before it is taken", path, wrong)
    return None


def set_aside(folder: Path) -> None:
    """Rename the checkpoints of an earlier run, so that a new run neither replaces them nor goes on from them."""
    if not any(folder.glob("*.ckpt")):
        return
    number = 1
    while (other := folder.with_name(f"{folder.name}-{number}")).exists():
        number += 1
    folder.rename(other)
    log.warning("the checkpoints of an earlier run in this directory are kept in %s", other)


def _by_index(folder: Path, kind: str) -> Iterator[Path]:
    """The checkpoints of one kind by their index. A kill between two renames may leave a gap, so all are listed."""
    numbered = {}
    for path in folder.glob(f"{kind}*.ckpt"):
        digits = path.stem.removeprefix(kind).removeprefix("-") or "0"
        if digits.isdigit():
            numbered[int(digits)] = path
    for index in sorted(numbered):
        yield numbered[index]


def fault(path: Path) -> str | None:
    """The fault of a checkpoint file, in words; None if there is none."""
    try:
        content = read_weight_file(path, mmap=True).content
        weights = content.get("state_dict") if isinstance(content, Mapping) else None
        if isinstance(weights, Mapping):
            check_finite({str(name): value for name, value in weights.items()}, path=path)
    except CheckpointError as error:
        return str(error).removeprefix(f"{path}: ")
    return None
