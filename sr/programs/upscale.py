"""Images and films in, larger ones out."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

# Features in pages of 2 MB: compact nets spend a quarter of their time on being given small ones. Read by torch once.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

from tqdm import tqdm

from sr.cli.nets import settle_net
from sr.export.onnx_graph import onnx_graph
from sr.geo.library import INSTALL
from sr.ops.exit_status import INTERRUPTED
from sr.ops.file_lock import InUseError
from sr.ops.hardware import has_bf16, inference_layout, pick_device
from sr.ops.normalisation import normalisation
from sr.ops.stages import Stages
from sr.ops.user_caches import user_caches
from sr.ops.whole_file import remove_abandoned
from sr.pictures.picture import Picture
from sr.pictures.reading import read_header, read_picture
from sr.pictures.writing import (
    TIFF,
    check_fits,
    check_holds,
    check_writable,
    profile_fits,
    write_picture,
)
from sr.programs.upscale_film import upscale_film
from sr.programs.upscale_plan import for_calibration, pixels_of, plan
from sr.programs.upscale_scene import upscale_scene
from sr.upscale.calibration import draw_tiles
from sr.upscale.engines.choice import choose_engine
from sr.upscale.engines.in_int8 import int8_engine
from sr.upscale.engines.remembered import Remembered
from sr.upscale.jobs import UpscaleJob
from sr.upscale.network import Network, NotFiniteError
from sr.upscale.precisions import INT8
from sr.upscale.upscaler import Upscaler
from sr.video.suffixes import names_film
from sr.weights.generator import load_generator

# Errors of a picture, its file or the memory; anything else is a bug and ends the program.
EXPECTED = (OSError, ValueError, MemoryError, NotFiniteError, InUseError)


@dataclass
class Outcome:
    """The number of images and films that were upscaled, skipped and failed."""

    upscaled: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.upscaled + self.skipped + self.failed

    def __str__(self) -> str:
        return f"{self.upscaled} upscaled, {self.skipped} skipped, {self.failed} failed"


def run(options: argparse.Namespace) -> int:
    """Upscale all inputs; every mistake is found before the first image. Returns the exit status."""
    settle_net(options)
    jobs = plan(options, say=say)
    upscaler = make_upscaler(options, jobs, report=say)
    check_writable(options.out.parent if names_film(options.out) else options.out)
    for folder in {job.target.parent for job in jobs}:
        if folder.is_dir():
            remove_abandoned(folder)
    todo = [job for job in jobs if not (options.skip_existing and is_there(job, options))]
    outcome = Outcome(skipped=len(jobs) - len(todo))
    try:
        with tqdm(
            total=len(jobs), desc="images", unit="image", disable=None if len(jobs) > 1 else True
        ) as bar:
            bar.update(outcome.skipped)
            for job, error in upscaled(todo, upscaler, options):
                bar.update()
                if error is None:
                    outcome.upscaled += 1
                else:
                    outcome.failed += 1
                    say(f"failed: {_explain(error, job)}")
    except KeyboardInterrupt:
        print(f"stopped: {outcome}, {len(jobs) - outcome.total} not done")
        if any(job.is_film for job in jobs) and not options.frames:
            print("the finished segments of a film are kept: --resume goes on with them")
        return INTERRUPTED
    print(f"done: {outcome}")
    return 1 if outcome.failed else 0


def upscaled(
    jobs: Sequence[UpscaleJob], upscaler: Upscaler, options: argparse.Namespace
) -> Iterator[tuple[UpscaleJob, Exception | None]]:
    """Every job, when its result is on the disk, with the error that ended it or None."""
    stages = Stages(
        read=partial(read, upscaler=upscaler),
        read_alone=partial(read_alone, upscaler=upscaler),
        work=partial(enlarge, upscaler=upscaler, options=options),
        write=write,
        alone=partial(has_no_room, upscaler=upscaler),
        expected=EXPECTED,
    )
    return stages(jobs)


def make_upscaler(
    options: argparse.Namespace, jobs: Sequence[UpscaleJob], *, report: Callable[[str], None]
) -> Upscaler:
    """The net of the options on this machine, with the engine for the jobs."""
    trained = load_generator(options.ckpt, trust=options.trust)
    device = pick_device(options.device)
    print(f"{trained.checkpoint}")
    trained.net.to(device=device, memory_format=inference_layout(device))  # type: ignore[call-overload]
    by = normalisation(trained.normalise, key=f"{options.ckpt}: normalise")
    if options.precision == INT8:
        files = for_calibration(options, jobs)
        engine = int8_engine(
            trained,
            graph=partial(onnx_graph, trained),
            device=device,
            engine=options.engine,
            tiles=partial(draw_tiles, files, channels=trained.channels, by=by, report=report),
            report=report,
        )
    else:
        engine = choose_engine(
            trained,
            graph=partial(onnx_graph, trained),
            device=device,
            engine=options.engine,
            # bf16 keeps three digits, which is little for measured values.
            precision="fp32" if trained.normalise and options.precision == "auto" else options.precision,
            pixels=pixels_of(jobs),
            memory=Remembered(user_caches() / "engines.json"),
            report=report,
        )
    network = Network(
        net=trained.net,
        scale=trained.scale,
        channels=trained.channels,
        device=device,
        engine=engine,
        self_ensemble=options.self_ensemble,
        report=report,
    )
    print(f"{trained.name} x{trained.scale}, {device}, {engine.title}")
    if options.precision == "bf16" and not has_bf16(device):
        report(f"{device} has no instructions for bf16: fp32 would be faster")
    return Upscaler(
        network=network, scale=options.scale, tile=options.tile, report=report, bars=_tile_bar, by=by
    )


def is_there(job: UpscaleJob, options: argparse.Namespace) -> bool:
    """Whether the result exists; of frames, which become a folder of pictures, only some may."""
    return job.target.exists() and not (options.frames and job.is_film)


def has_no_room(job: UpscaleJob, upscaler: Upscaler) -> bool:
    """Whether a job has to be alone in memory: one that is done in pieces, a large picture, or one of unknown size."""
    if job.in_pieces:
        return True
    try:
        header = read_header(job.source)
    except EXPECTED:
        return True  # which error it is is said at its turn
    channels = header.bands + header.alpha
    return not upscaler.has_room(header.height, header.width, channels=channels, depth=header.depth)


def read(job: UpscaleJob, upscaler: Upscaler) -> Picture:
    """The picture of a job, if it can be enlarged and written."""
    header = read_header(job.source)
    check_fits(job.source, job.target.suffix, size=upscaler.size(header.height, header.width))
    upscaler.check(bands=header.bands, dtype=header.dtype)
    picture = read_picture(job.source)
    check_holds(job.source, job.target.suffix, picture)
    return picture


def read_alone(job: UpscaleJob, upscaler: Upscaler) -> Picture | None:
    """The same where memory has to be checked first; None for what is done in pieces."""
    if job.in_pieces:
        return None
    header = read_header(job.source)
    channels = header.bands + header.alpha
    upscaler.check_memory(header.height, header.width, channels=channels, depth=header.depth)
    return read(job, upscaler)


def enlarge(
    job: UpscaleJob, picture: Picture | None, upscaler: Upscaler, options: argparse.Namespace
) -> Picture | None:
    """The enlarged picture; None where it is on the disk already."""
    if picture is None:
        in_pieces = upscale_film if job.is_film else upscale_scene
        in_pieces(job, upscaler, options, say=say)
        return None
    for note in picture.notes:
        say(f"{job.source}: {note}")
    for loss in losses(picture, job.target.suffix):
        say(f"{job.source}: {loss}")
    return upscaler(picture)


def write(job: UpscaleJob, picture: Picture | None) -> None:
    if picture is not None:
        write_picture(job.target, picture)


def losses(picture: Picture, suffix: str) -> Iterator[str]:
    """What of a picture its result does not have."""
    if picture.icc is not None and not profile_fits(suffix, picture):
        yield "its colour profile does not fit the result and is left out"
    if picture.georeferenced:
        yield f"its place on Earth (GeoTIFF tags) is lost in the result: {INSTALL} keeps it"
    if picture.nodata is not None and suffix not in TIFF:
        yield f"{suffix} holds no no-data value: pixels without data have it, and nothing says so (--format same does)"


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
