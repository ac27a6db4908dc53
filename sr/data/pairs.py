"""Which LR file belongs to which HR file, by their names."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from sr.data.sources import ImageFiles, say

NAME = "{name}"
# How the sets of the field name LR files; {scale} is the upscaling factor.
PATTERNS = (
    "{name}",
    "{name}x{scale}",
    "{name}_x{scale}",
    "{name}_bicLRx{scale}",
    "{name}_LR",
    "{name}_LRx{scale}",
    "{name}_LRBI_x{scale}",
)


def match_pairs(
    hr: ImageFiles, lr: ImageFiles, *, scale: int, lr_name: str | None = None
) -> tuple[ImageFiles, ImageFiles]:
    """Put LR files in the order of the HR files: `a/0001.png` pairs with `a/0001.*`, `a/0001x4.*` or the like.

    Args:
        hr: the HR files.
        lr: the LR files.
        scale: the upscaling factor.
        lr_name: the name of an LR file without its ending, with {name} for that of its HR file, as "{name}x4"; None
            recognises `PATTERNS`.

    Raises:
        ValueError: a file on either side has no partner, two files have the same name, or `lr_name` has no {name}.
    """
    patterns = _patterns(lr_name, scale=scale)
    hr_by_name = _by_name(hr, {hr.name(index): path for index, path in enumerate(hr.paths)})
    found = {path: _partner(lr.name(index), hr_by_name, patterns) for index, path in enumerate(lr.paths)}
    lr_by_name = _by_name(lr, {name: path for path, (name, _) in found.items()})
    for here, there, ours, theirs in (
        (hr, lr, hr_by_name, lr_by_name),
        (lr, hr, lr_by_name, hr_by_name),
    ):
        if missing := sorted(ours.keys() - theirs.keys()):
            raise ValueError(
                f"{len(missing)} image(s) in {here.root} have no partner in {there.root}. For"
                f" {_below(here, ours[missing[0]])} the most similar names there:"
                f" {_nearest(missing[0], there, theirs)}. The rule: {NAME}.* of HR pairs with"
                f" {' or '.join(f'{pattern}.*' for pattern in patterns)} of LR, in the same subfolder;"
                ' data.lr_name="{name}..." sets another one, lr_name="{name}..." for evaluate.py, --lr-name for'
                " sr-align"
            )
    for pattern, count in Counter(pattern for _, pattern in found.values()).items():
        if pattern != NAME:
            say("%d LR files in %s are paired by their name %s", count, lr.root, pattern)
    order = sorted(hr_by_name)
    return (
        ImageFiles([hr_by_name[name] for name in order], root=hr.root, channels=hr.channels),
        ImageFiles([lr_by_name[name] for name in order], root=lr.root, channels=lr.channels),
    )


def check_sizes(hr: ImageFiles, lr: ImageFiles, *, scale: int) -> None:
    """Raises ValueError for the first pair whose sizes do not differ by the scale, by the headers of the files."""
    for index in range(len(hr)):
        (hr_height, hr_width), (height, width) = hr.size(index), lr.size(index)
        if (hr_height // scale, hr_width // scale) != (height, width):
            raise ValueError(
                f"{lr.paths[index]} of {width} x {height} and {hr.paths[index]} of {hr_width} x {hr_height} pixels do"
                f" not differ by scale={scale}"
            )


def _patterns(lr_name: str | None, *, scale: int) -> list[str]:
    if lr_name is None:
        return [pattern.replace("{scale}", str(scale)) for pattern in PATTERNS]
    if lr_name.count(NAME) != 1 or "/" in lr_name:
        raise ValueError(
            f"lr_name={lr_name}: write the name of an LR file without its ending, with {NAME} for that of its HR"
            f' file, as "{NAME}x{scale}"'
        )
    return [lr_name.replace("{scale}", str(scale))]


def _partner(name: str, hr: Mapping[str, Path], patterns: Sequence[str]) -> tuple[str, str]:
    """The name of the HR file and the pattern; the first pattern that fits decides where no HR file has such a name."""
    folder, slash, stem = name.rpartition("/")
    fitting = []
    for pattern in patterns:
        before, after = map(re.escape, pattern.split(NAME))
        if found := re.fullmatch(f"{before}(.+){after}", stem):
            fitting.append((f"{folder}{slash}{found[1]}", pattern))
    if not fitting:
        raise ValueError(
            f"lr_name={patterns[0]}: the LR file {name} has no such name; endings as .png are left out on both sides"
        )
    known = [each for each in fitting if each[0] in hr]
    return (known or fitting)[0]


def _below(files: ImageFiles, path: Path) -> str:
    return path.relative_to(files.root).as_posix()


def _nearest(name: str, files: ImageFiles, by_name: Mapping[str, Path]) -> str:
    """The files whose names look most like it."""
    near = get_close_matches(name, by_name, n=3, cutoff=0)
    return ", ".join(_below(files, by_name[each]) for each in near)


def _by_name(files: ImageFiles, by_name: dict[str, Path]) -> dict[str, Path]:
    if len(by_name) < len(files):
        kept = set(by_name.values())
        twice = next(path for path in files.paths if path not in kept)
        raise ValueError(
            f"{files.root}: {twice.name} and another file have the same name except for the ending"
        )
    return by_name
