"""Images and films in, larger ones out."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Features in pages of 2 MB: compact nets spend a quarter of their time on being given small ones. Read by torch once.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

from tqdm import tqdm

from sr.ops.exit_status import INTERRUPTED
from sr.ops.file_lock import InUseError
from sr.ops.hardware import has_bf16, pick_device
from sr.ops.whole_file import remove_abandoned
from sr.pictures.reading import read_header, read_picture
from sr.pictures.writing import (
    check_fits,
    check_holds,
    check_writable,
    profile_fits,
    write_picture,
)
from sr.programs.upscale_film import upscale_film
from sr.upscale.jobs import UpscaleJob, plan_film, plan_jobs
from sr.upscale.network import Network, NotFiniteError
from sr.upscale.upscaler import Upscaler
from sr.video.library import INSTALL, has_av, import_av
from sr.video.suffixes import is_film, names_film
from sr.weights.generator import load_generator

FOR_FILMS = {
    "frames": False,
    "codec": "auto",
    "crf": None,
    "pixel_format": "auto",
    "resume": False,
    "blend": 0.0,
}


@dataclass
class Outcome:
    """The number of images and films that were upscaled, skipped and failed."""

    upscaled: int = 0
    skipped: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return f"{self.upscaled} upscaled, {self.skipped} skipped, {self.failed} failed"


def run(options: argparse.Namespace) -> int:
    """Upscale all inputs; every mistake is found before the first image. Returns the exit status."""
    jobs = plan(options)
    upscaler = make_upscaler(options, report=say)
    check_writable(options.out.parent if names_film(options.out) else options.out)
    for folder in {job.target.parent for job in jobs}:
        if folder.is_dir():
            remove_abandoned(folder)
    outcome = Outcome()
    try:
        with tqdm(jobs, desc="images", unit="image", disable=None if len(jobs) > 1 else True) as bar:
            for job in bar:
                frames = options.frames and job.is_film  # some of them may be there
                if options.skip_existing and job.target.exists() and not frames:
                    outcome.skipped += 1
                elif upscale(job, upscaler, options):
                    outcome.upscaled += 1
                else:
                    outcome.failed += 1
    except KeyboardInterrupt:
        left = len(jobs) - outcome.upscaled - outcome.skipped - outcome.failed
        print(f"stopped: {outcome}, {left} not done")
        if any(job.is_film for job in jobs) and not options.frames:
            print("the finished segments of a film are kept: --resume goes on with them")
        return INTERRUPTED
    print(f"done: {outcome}")
    return 1 if outcome.failed else 0


def plan(options: argparse.Namespace) -> list[UpscaleJob]:
    """The work to do. Raises ValueError where options do not go together, RuntimeError where PyAV is missing."""
    if names_film(options.out):
        jobs = [plan_film(options.inputs, target=options.out)]
    else:
        jobs = plan_jobs(
            options.inputs, out_dir=options.out, file_format=options.format, frames=options.frames
        )
    _check_options(options, jobs)
    films = [job for job in jobs if job.is_film]
    if films and not has_av():
        if len(films) == len(jobs) or any(is_film(Path(text)) for text in options.inputs):
            import_av()
        say(f"{len(films)} film(s) among the images are left out: {INSTALL}")
        return [job for job in jobs if not job.is_film]
    return jobs


def _check_options(options: argparse.Namespace, jobs: list[UpscaleJob]) -> None:
    if not any(job.is_film for job in jobs):
        given = [name for name, default in FOR_FILMS.items() if getattr(options, name) != default]
        if given:
            names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise ValueError(f"{names}: no input is a film, and --out {options.out} does not name one")
    pictures = any(job.pictures for job in jobs)
    if pictures and options.fps is None:
        raise ValueError(f"--out {options.out}: a film of pictures needs --fps, the frames of a second")
    if options.fps is not None and not pictures:
        raise ValueError("--fps is for pictures that become a film (--out film.mkv); a film has its own time")
    if options.frames and names_film(options.out):
        raise ValueError(f"--frames writes pictures: name a folder with --out, not the film {options.out}")
    if options.frames and options.resume:
        raise ValueError("--resume is for a film that is written: with --frames, --skip-existing goes on")


def make_upscaler(options: argparse.Namespace, *, report: Callable[[str], None]) -> Upscaler:
    trained = load_generator(options.ckpt, trust=options.trust)
    device = pick_device(options.device)
    network = Network(
        net=trained.net,
        scale=trained.scale,
        channels=trained.channels,
        device=device,
        precision=options.precision,
        self_ensemble=options.self_ensemble,
        report=report,
    )
    print(f"{trained.checkpoint}")
    print(f"{trained.name} x{trained.scale}, {device}, {network.precision}")
    if network.precision == "bf16" and not has_bf16(device):
        report(f"{device} has no instructions for bf16: fp32 would be faster")
    return Upscaler(network=network, scale=options.scale, tile=options.tile, report=report, bars=_tile_bar)


def upscale(job: UpscaleJob, upscaler: Upscaler, options: argparse.Namespace) -> bool:
    """Upscale one image or film. Returns False, after a message, if that is impossible."""
    try:
        if job.is_film:
            upscale_film(job, upscaler, options, say=say)
            return True
        header = read_header(job.source)
        check_fits(job.source, job.target.suffix, size=upscaler.size(header.height, header.width))
        channels = header.bands + header.alpha
        upscaler.check_memory(header.height, header.width, channels=channels, depth=header.depth)
        picture = read_picture(job.source)
        for note in picture.notes:
            say(f"{job.source}: {note}")
        check_holds(job.source, job.target.suffix, picture)
        if picture.icc is not None and not profile_fits(job.target.suffix, picture):
            say(f"{job.source}: its colour profile does not fit the result and is left out")
        write_picture(job.target, upscaler(picture))
    # Errors of a picture, its file or the memory; anything else is a bug and ends the program.
    except (OSError, ValueError, MemoryError, NotFiniteError, InUseError) as error:
        say(f"failed: {_explain(error, job)}")
        return False
    return True


def _explain(error: BaseException, job: UpscaleJob) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{job.source} -> {job.target}: {error.strerror}"
    text = str(error) or type(error).__name__
    return text if str(job.source) in text else f"{job.source}: {text}"


def say(message: str) -> None:
    """Print a line on standard error without breaking the progress bars."""
    tqdm.write(message, file=sys.stderr)


@contextmanager
def _tile_bar(tiles: int) -> Iterator[Callable[[int], object]]:
    """A progress bar for pictures of more than one tile; silent when the output is not a terminal."""
    with tqdm(
        total=tiles, desc="tiles", unit="tile", leave=False, disable=None if tiles > 1 else True
    ) as bar:
        yield bar.update
