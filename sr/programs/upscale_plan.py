"""What `sr-upscale` has to do, before anything is done."""

import argparse
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from sr.geo.library import INSTALL as INSTALL_GEO
from sr.geo.library import has_rasterio
from sr.geo.scene import is_scene, opened
from sr.pictures.listing import list_images
from sr.pictures.picture import UnreadableImageError
from sr.pictures.reading import read_header
from sr.upscale.jobs import UpscaleJob, plan_film, plan_jobs
from sr.upscale.precisions import INT8
from sr.video.film import read_film
from sr.video.library import INSTALL, has_av, import_av
from sr.video.suffixes import is_film, names_film

FOR_FILMS = {
    "frames": False,
    "codec": "auto",
    "crf": None,
    "pixel_format": "auto",
    "resume": False,
    "blend": 0.0,
}


def plan(options: argparse.Namespace, *, say: Callable[[str], None]) -> list[UpscaleJob]:
    """The work to do. Raises ValueError where options do not go together, RuntimeError where PyAV is missing."""
    if names_film(options.out):
        jobs = [plan_film(options.inputs, target=options.out)]
    else:
        jobs = plan_jobs(
            options.inputs,
            out_dir=options.out,
            file_format=options.format,
            frames=options.frames,
            is_scene=is_scene,
        )
    _check_options(options, jobs)
    films = [job for job in jobs if job.is_film]
    if films and not has_av():
        if len(films) == len(jobs) or any(is_film(Path(text)) for text in options.inputs):
            import_av()
        say(f"{len(films)} film(s) among the images are left out: {INSTALL}")
        return [job for job in jobs if not job.is_film]
    return jobs


def pixels_of(jobs: Sequence[UpscaleJob]) -> int | None:
    """The pixels of all inputs whose header can be read, or None where a film does not say how many frames it has.

    What is wrong with the others is said at their turn.
    """
    total = 0
    for job in jobs:
        if job.is_film and not job.pictures:
            av = import_av()
            with suppress(ValueError, OSError, av.error.FFmpegError):
                film = read_film(job.source)
                if film.frames is None:
                    return None
                total += film.frames * film.height * film.width
        elif job.is_scene:
            with suppress(UnreadableImageError), opened(job.source) as reader:
                total += reader.shape.height * reader.shape.width
        else:
            for picture in job.pictures or [job.source]:
                with suppress(UnreadableImageError):
                    header = read_header(picture)
                    total += header.height * header.width
    return total


def for_calibration(options: argparse.Namespace, jobs: Sequence[UpscaleJob]) -> list[Path]:
    """The pictures by which int8 is calibrated: those of the folder, or else the pictures among the inputs."""
    if options.calibrate is not None:
        return list_images(options.calibrate)
    single = [job.source for job in jobs if not job.is_film and not job.is_scene]
    return single + [picture for job in jobs for picture in job.pictures]


def _check_options(options: argparse.Namespace, jobs: list[UpscaleJob]) -> None:
    if options.calibrate is not None and options.precision != INT8:
        raise ValueError(f"--calibrate={options.calibrate} is for --precision=int8, not {options.precision}")
    if options.precision == INT8 and not for_calibration(options, jobs):
        raise ValueError(
            "--precision=int8 is calibrated with the pictures among the inputs, and there are films or scenes alone:"
            " name a folder of pictures like their frames or parts with --calibrate DIR"
        )
    if not any(job.is_film for job in jobs):
        given = [name for name, default in FOR_FILMS.items() if getattr(options, name) != default]
        if given:
            names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise ValueError(f"{names}: no input is a film, and --out {options.out} does not name one")
    if options.cog and not any(job.is_scene for job in jobs):
        raise ValueError(
            "--cog is for georeferenced TIFFs: there is none among the inputs"
            + ("" if has_rasterio() else f", or rasterio is missing: {INSTALL_GEO}")
        )
    pictures = any(job.pictures for job in jobs)
    if pictures and options.fps is None:
        raise ValueError(f"--out {options.out}: a film of pictures needs --fps, the frames of a second")
    if options.fps is not None and not pictures:
        raise ValueError("--fps is for pictures that become a film (--out film.mkv); a film has its own time")
    if options.frames and names_film(options.out):
        raise ValueError(f"--frames writes pictures: name a folder with --out, not the film {options.out}")
    if options.frames and options.resume:
        raise ValueError("--resume is for a film that is written: with --frames, --skip-existing goes on")
