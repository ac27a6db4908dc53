"""A film in, a film or its frames out."""

import argparse
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from sr.pictures.formats import output_suffix
from sr.pictures.writing import EIGHT_BIT, check_fits
from sr.upscale.jobs import UpscaleJob
from sr.upscale.upscaler import Upscaler
from sr.video.codecs import Encoding, choose_encoding
from sr.video.colour import BT709, RGB, Colour
from sr.video.copied import converted, keeps_time_base, not_held
from sr.video.enlarging import Enlarging
from sr.video.film import Film, UnreadableFilmError, read_film
from sr.video.layout import Layout, layout_of
from sr.video.library import import_av
from sr.video.segments import planned
from sr.video.source import FilmSource, PictureSource, Source
from sr.video.writing import write_film, write_frames

MOST_TOGETHER = 16  # frames in a batch: more gain nothing, and their results take memory


def upscale_film(
    job: UpscaleJob, upscaler: Upscaler, options: argparse.Namespace, *, say: Callable[[str], None]
) -> None:
    """Upscale one film, or make one of pictures, or pictures of one.

    Raises:
        OSError, ValueError, MemoryError, NotFiniteError, InUseError: the film is impossible; the message says why.
    """
    av = import_av()
    try:
        _upscale(job, upscaler, options, say)
    except av.error.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise UnreadableFilmError(f"{job.source}: {error.strerror} ({error.filename})") from error


def _upscale(
    job: UpscaleJob, upscaler: Upscaler, options: argparse.Namespace, say: Callable[[str], None]
) -> None:
    source = _source(job, options)
    film = source.film
    for note in film.notes:
        say(f"{job.source}: {note}")
    size = upscaler.size(film.height, film.width)
    # The net sees 16 bits; a batch of frames and their results are in memory at once.
    upscaler.check_memory(film.height, film.width, channels=film.layout.channels, depth=2)
    print(f"{job.source}: {_in_words(film)}")
    if options.frames:
        count = _write_frames(source, job.target, size, upscaler, options)
        print(f"{job.target}: {count} frames")
    else:
        _write_film(job, source, size, upscaler, options, say)
    if str(source.damage):
        say(f"{job.source}: damaged: {source.damage}")


def _source(job: UpscaleJob, options: argparse.Namespace) -> Source:
    if job.pictures:
        return PictureSource(folder=job.source, pictures=job.pictures, rate=options.fps)
    return FilmSource(read_film(job.source))


def _write_film(
    job: UpscaleJob,
    source: Source,
    size: tuple[int, int],
    upscaler: Upscaler,
    options: argparse.Namespace,
    say: Callable[[str], None],
) -> None:
    film = source.film
    target = _target(job, film, options, say)
    wanted = film.layout if options.pixel_format == "auto" else layout_of(options.pixel_format)
    encoding = choose_encoding(
        wanted,
        suffix=target.suffix.lower(),
        codec=options.codec,
        crf=options.crf,
        exactly=options.pixel_format != "auto",
    )
    _check_size(size, encoding, options)
    colour = _written(film, encoding.layout, options)
    if film.pixel_aspect not in (None, 1) and encoding.codec.name not in ("h264", "hevc"):
        say(
            f"{target}: its pixels are not square ({film.pixel_aspect}), which {encoding.codec.name} does not state"
        )
    if options.resume:
        # The tiles of the first run, whatever memory is free now: they decide the last bit of a result.
        upscaler.affordable = planned(target).get("pixels", upscaler.affordable)
    plan = _plan(job, film, size, encoding, upscaler, options)
    print(f"{target}: {size[1]} x {size[0]}, {encoding}")
    with _frame_bar(target, film) as advance:
        stamps = write_film(
            target,
            source,
            _enlarging(source, upscaler, options),
            size=size,
            encoding=encoding,
            colour=colour,
            length=options.segment,
            plan=plan,
            resume=options.resume,
            copy=not job.pictures,
            advance=advance,
        )
    print(f"{target}: {len(stamps)} frames")
    if not keeps_time_base(target) and any((pts * film.time_base * 1000).denominator != 1 for pts in stamps):
        say(f"{target}: time stamps are rounded to milliseconds, as {target.suffix} keeps them")


def _write_frames(
    source: Source, folder: Path, size: tuple[int, int], upscaler: Upscaler, options: argparse.Namespace
) -> int:
    suffix = output_suffix(Path("frame.png"), options.format)
    check_fits(source.film.path, suffix, size=size)
    deep = source.film.layout.bits > 8
    if deep and suffix in EIGHT_BIT:
        bits = source.film.layout.bits
        raise ValueError(f"{source.film.path}: has {bits} bits, and {suffix} holds 8: choose --format png")
    with _frame_bar(folder, source.film) as advance:
        return write_frames(
            folder,
            source,
            _enlarging(source, upscaler, options),
            suffix=suffix,
            deep=deep,
            skip_existing=options.skip_existing,
            advance=advance,
        )


def _enlarging(source: Source, upscaler: Upscaler, options: argparse.Namespace) -> Enlarging:
    together = upscaler.together(source.film.height, source.film.width, most=MOST_TOGETHER)
    return Enlarging(source.image, upscaler.frames, together, options.blend)


def _target(job: UpscaleJob, film: Film, options: argparse.Namespace, say: Callable[[str], None]) -> Path:
    """The file to write: Matroska in place of a container that cannot hold everything, where a folder was named."""
    if job.pictures:
        return job.target
    suffix = job.target.suffix.lower()
    missing, nowhere = not_held(film, suffix), not_held(film, ".mkv")
    target = job.target
    if only_there := [words for words in missing if words not in nowhere]:
        lacking = f"{suffix} cannot hold {'; '.join(only_there)}"
        if job.target == options.out or suffix == ".webm":
            raise ValueError(f"{job.source}: {lacking}: name a .mkv with --out")
        target = job.target.with_suffix(".mkv")
        if target.exists() and not options.resume:
            raise ValueError(
                f"{job.source}: {lacking}, and {target} is there already: name a .mkv with --out"
            )
        say(f"{job.source}: becomes .mkv, since {lacking}")
        missing = nowhere
    for words in missing:
        say(f"{job.source}: {words} is left out, since {target.suffix} cannot hold it")
    for words in converted(film, target.suffix.lower()):
        say(f"{job.source}: {words}, without styles")
    return target


def _written(film: Film, layout: Layout, options: argparse.Namespace) -> Colour:
    """How results become numbers: as in the film, unless another kind of pixel format was chosen."""
    if layout.channels != film.layout.channels:
        kinds = {1: "gray", 3: "colour"}
        raise ValueError(
            f"--pixel-format {options.pixel_format}: is {kinds[layout.channels]}, and {film.path} is"
            f" {kinds[film.layout.channels]}"
        )
    if layout.rgb == film.layout.rgb:
        return film.colour
    matrix = RGB if layout.rgb else BT709
    return replace(film.colour, matrix=matrix, full=layout.rgb, guessed=False)


def _check_size(size: tuple[int, int], encoding: Encoding, options: argparse.Namespace) -> None:
    height, width = size
    layout = encoding.layout
    if encoding.crf is not None and (width % layout.across or height % layout.down):
        raise ValueError(
            f"the result is {width} x {height}, and {layout.name} needs a multiple of {layout.across} x"
            f" {layout.down}: choose another --scale, or --pixel-format yuv444p"
        )


def _plan(
    job: UpscaleJob,
    film: Film,
    size: tuple[int, int],
    encoding: Encoding,
    upscaler: Upscaler,
    options: argparse.Namespace,
) -> dict[str, Any]:
    network = upscaler.network
    with open(options.ckpt, "rb") as file:
        checkpoint = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "checkpoint": checkpoint,
        "source": _identity(job.pictures or [job.source]),
        "rate": str(film.rate),
        "result": f"{size[1]} x {size[0]}",
        "encoding": str(encoding),
        "library": f"PyAV {import_av().__version__}",
        "device": network.device.type,
        "engine": network.engine.title,
        "threads": torch.get_num_threads(),
        "tile": options.tile,
        "pixels": upscaler.affordable,
        "self-ensemble": options.self_ensemble,
        "blend": options.blend,
        "segment": options.segment,
    }


def _identity(files: Sequence[Path]) -> str:
    """Of the contents, by sizes and times: reading a film of hours would take minutes."""
    stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(stats).encode()).hexdigest()


def _in_words(film: Film) -> str:
    return (
        f"{film.width} x {film.height}, {float(film.rate):.6g} frames per second, {film.layout.name},"
        f" {film.colour}"
    )


@contextmanager
def _frame_bar(target: Path, film: Film) -> Iterator[Callable[[int], object]]:
    """A bar with the time left, as far as the film tells its length; silent when the output is not a terminal."""
    with tqdm(total=film.frames, desc=target.name, unit="frame", disable=None) as bar:

        def advance(frames: int) -> None:
            if frames > 1 and not bar.disable:  # finished by an earlier run, and no measure of speed
                bar.initial += frames
                bar.n += frames
                bar.last_print_n += frames
                bar.refresh()
            else:
                bar.update(frames)

        yield advance
