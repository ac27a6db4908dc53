"""Is a folder fit to be trained on?"""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from sr.cli.command_line import check_command_line
from sr.cli.errors import readable_errors
from sr.cli.hydra_errors import explain_hydra
from sr.cli.nodes import with_named_nodes
from sr.cli.shipped import shipped_configuration
from sr.config import register_schemas
from sr.data.check.findings import EXCLUDED, KINDS, Finding, duplicates, examine
from sr.ops.normalisation import Normalisation, normalisation
from sr.ops.whole_file import replacing
from sr.ops.worker_processes import in_processes
from sr.pictures.listing import list_images

SHOWN = 5  # number of files of each kind that are shown


@dataclass(frozen=True)
class Wanted:
    """What the chosen recipe needs of an image.

    Attributes:
        channels: the number of channels.
        smallest: the least side in pixels; 0 where smaller images are mirrored.
        by: the way from stored values to those of the net.
        words: the origin of the numbers, for the user.
    """

    channels: int
    smallest: int
    words: str
    by: Normalisation


def run(options: argparse.Namespace) -> int:
    """Examine the folder and print what was found. Returns the exit status: 1 where something was found."""
    with readable_errors(explain_hydra):
        wanted = wanted_by(options.overrides, config_dir=options.config_dir)
    paths = list_images(options.folder)
    print(wanted.words)
    work = partial(examine, channels=wanted.channels, smallest=wanted.smallest, by=wanted.by)
    examined = in_processes(work, paths, workers=options.workers, doing="checking")
    found = [finding for each in examined for finding in each.findings] + duplicates(examined)
    root = options.folder.expanduser()
    print(summary(found, images=len(paths), root=root))
    if options.out is not None:
        write_list(options.out, found, root=root)
        print(f"\n{options.out}   for data.exclude={options.out}")
    return 1 if found else 0


def wanted_by(overrides: Sequence[str], *, config_dir: Path | None = None) -> Wanted:
    """What a training with these overrides needs of its images.

    Args:
        overrides: overrides as for sr-train; data=folder where they choose no origin.
        config_dir: a folder of the user's own options, or None.

    Raises:
        ValueError: an override cannot be read.
    """
    check_command_line(overrides)
    register_schemas()
    typed = with_named_nodes(overrides)
    origin = [] if any(each.startswith("data=") for each in typed) else ["data=folder"]
    places = [f"hydra.searchpath=[{json.dumps(str(config_dir.absolute()))}]"] if config_dir else []
    with initialize_config_dir(str(shipped_configuration()), version_base="1.3"):
        cfg = compose("train", overrides=[*places, *origin, *typed])
    pads = cfg.data.small_images == "pad"
    small = "smaller images are mirrored" if pads else f"images of {cfg.data.hr_patch_size} pixels or more"
    given: Any = cfg.data.get("normalise")
    given = OmegaConf.to_container(given) if OmegaConf.is_config(given) else given
    return Wanted(
        by=normalisation(given),
        channels=cfg.channels,
        smallest=0 if pads else cfg.data.hr_patch_size,
        words=f"for {cfg.name}: channels={cfg.channels}, data.hr_patch_size={cfg.data.hr_patch_size} ({small})",
    )


def summary(found: Sequence[Finding], *, images: int, root: Path) -> str:
    by_kind = {kind: [each for each in found if each.kind == kind] for kind in KINDS}
    concerned = len({each.path for each in found if each.kind in EXCLUDED})
    lines = [f"{images} images, {concerned} that training should not use"]
    lines += [f"  {kind:11} {len(of):6}" for kind, of in by_kind.items()]
    for kind, of in by_kind.items():
        if of:
            lines += ["", f"{kind}:"]
            lines += [f"  {shown(each, root)}" for each in of[:SHOWN]]
            lines += [f"  and {len(of) - SHOWN} more"] * (len(of) > SHOWN)
    return "\n".join(lines)


def shown(finding: Finding, root: Path) -> str:
    return f"{relative(finding, root)}   {finding.detail.replace(f'{root}{os.sep}', '')}"


def relative(finding: Finding, root: Path) -> str:
    return finding.path.relative_to(root).as_posix()


def write_list(file: Path, found: Sequence[Finding], *, root: Path) -> None:
    """Write one path below `root` per line, each once, followed by the reasons."""
    reasons: dict[str, list[str]] = {}
    for each in found:
        if each.kind in EXCLUDED:
            detail = each.detail.replace(f"{root}{os.sep}", "")
            reasons.setdefault(relative(each, root), []).append(f"{each.kind}: {detail}")
    lines = [f"{path}  # {'; '.join(why)}" for path, why in sorted(reasons.items())]
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as out:
        out.write("".join(f"{line}\n" for line in lines).encode())
