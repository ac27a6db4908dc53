"""The work to do: every input with its output, checked before the work begins."""

import glob
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sr.pictures.formats import output_suffix
from sr.pictures.listing import SUFFIXES, list_images
from sr.video.suffixes import CONTAINERS, FILMS, is_film


@dataclass(frozen=True)
class UpscaleJob:
    """One image or film to upscale and the file to make of it.

    Attributes:
        source: the image, the film, or the folder of the frames of a film.
        target: the file, or the folder for the frames of a film.
        pictures: the frames that become a film; empty for an image or a film.
        is_scene: whether the image has a place on Earth, and is enlarged in blocks.
    """

    source: Path
    target: Path
    pictures: tuple[Path, ...] = ()
    is_scene: bool = False

    @property
    def is_film(self) -> bool:
        return bool(self.pictures) or is_film(self.source)

    @property
    def in_pieces(self) -> bool:
        """Whether it is read and written piece by piece, as films and scenes are, and not as one picture."""
        return self.is_film or self.is_scene


def plan_jobs(
    inputs: Sequence[str],
    *,
    out_dir: Path,
    file_format: str,
    frames: bool = False,
    is_scene: Callable[[Path], bool] = lambda path: False,
) -> list[UpscaleJob]:
    """Files, folders and patterns -> jobs, in the order given.

    A file is written to `out_dir` under its stem; the files of a folder, at any depth, are written to the same
    subfolders. Files in `out_dir` itself are not inputs of a folder, so a second run does not enlarge the results of
    the first. A film keeps its suffix where that container is written, and becomes .mkv otherwise; with `frames` it
    becomes a folder of its name. A file that `is_scene` stays a TIFF, whatever the format.

    Raises:
        FileNotFoundError: an input does not exist, or a folder or pattern has no image and no film.
        ValueError: two inputs would be written to the same file, or an output would replace an input.
    """
    jobs: dict[Path, UpscaleJob] = {}
    for text in inputs:
        for source, below in _expand(text, out_dir):
            scene = is_scene(source)
            suffix = source.suffix if scene else _suffix(source, file_format, frames)
            target = out_dir / below / (source.stem + suffix)
            jobs.setdefault(source.resolve(), UpscaleJob(source, target, is_scene=scene))
    _refuse_collisions(list(jobs.values()))
    return list(jobs.values())


def plan_film(inputs: Sequence[str], *, target: Path) -> UpscaleJob:
    """One film, or the pictures of folders and patterns as its frames -> the job that makes `target` of it.

    Raises:
        FileNotFoundError: an input does not exist, or a folder or pattern has no image and no film.
        ValueError: there are several films, or films and pictures, or the film would be written over itself.
    """
    found = [
        path for text in inputs for path, _ in _expand(text, target) if path.resolve() != target.resolve()
    ]
    films = [path for path in dict.fromkeys(found) if is_film(path)]
    if not found:
        raise ValueError(f"{target} would be written over an input: choose another --out")
    if films and len(found) > 1:
        raise ValueError(
            f"--out {target} is one film, and there are {len(found)} inputs: name a folder for several results"
        )
    if films:
        return UpscaleJob(films[0], target)
    return UpscaleJob(Path(inputs[0]).expanduser(), target, tuple(dict.fromkeys(found)))


def _suffix(source: Path, file_format: str, frames: bool) -> str:
    if not is_film(source):
        return output_suffix(source, file_format)
    suffix = source.suffix.lower()
    return "" if frames else suffix if suffix in CONTAINERS else ".mkv"


def _expand(text: str, out_dir: Path) -> Iterable[tuple[Path, Path]]:
    """The files that an argument names, each with its subfolder below `out_dir`."""
    path = Path(text).expanduser()
    if path.is_dir():
        done = out_dir.resolve()
        found = [
            each
            for each in list_images(path, suffixes=SUFFIXES + FILMS)
            if done == path.resolve() or done not in each.resolve().parents
        ]
        if not found:
            raise FileNotFoundError(f"{path} has no image in it except those in the output folder {out_dir}")
        return [(each, each.relative_to(path).parent) for each in found]
    if path.exists():
        return [(path, Path())]
    if glob.has_magic(text):
        names = sorted(glob.glob(_pattern(path), recursive=True))
        matches = [Path(each) for each in names if Path(each).is_file()]
        if not matches:
            hint = "; in a pattern [ab] is one character, and [[] a bracket" if "[" in text else ""
            raise FileNotFoundError(f"no file matches {text}{hint}")
        return [(each, Path()) for each in matches]
    raise FileNotFoundError(f"{text} does not exist: give image files, folders or patterns")


def _pattern(path: Path) -> str:
    """A pattern for glob. The name of an existing folder is not a pattern, whatever brackets it contains."""
    there = next(folder for folder in path.parents if folder.is_dir())
    return str(Path(glob.escape(str(there)), path.relative_to(there)))


def _refuse_collisions(jobs: Sequence[UpscaleJob]) -> None:
    sources = {job.source.resolve(): job for job in jobs}
    targets: dict[Path, UpscaleJob] = {}
    for job in jobs:
        target = job.target.resolve()
        if target in sources:
            raise ValueError(f"{job.target} would be written over an input: choose another --out")
        if target in targets:
            raise ValueError(
                f"{targets[target].source} and {job.source} would both be written to {job.target}: give them in two"
                " calls with two --out, or choose --format same where their suffixes differ"
            )
        targets[target] = job
