"""A trained generator in a format that other programs read."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from sr.cli.nets import settle_net
from sr.export.card import make_card
from sr.export.formats import CALIBRATED, Format, file_format_of, is_folder, place_of
from sr.export.half import rounded
from sr.export.other_tools import warnings_for
from sr.export.parity import largest_difference
from sr.export.upscayl import check_upscayl
from sr.ops.staged import naming, staged, write_bytes
from sr.programs.export_int8 import export_int8
from sr.upscale.precisions import INT8
from sr.weights.generator import TrainedGenerator, load_generator
from sr.weights.interpolation import interpolate
from sr.zoo.shipped import read_card


def run(options: argparse.Namespace) -> None:
    """Export the net; every mistake in the options is found before the work begins.

    Raises:
        ValueError: the options do not fit together, or the format cannot hold the net.
        RuntimeError: a package is missing, or the file that was written does not compute what the net does.
        OSError: a file cannot be read or written.
    """
    settle_net(options)
    if options.net is not None and options.license is None:
        options.license = read_card(options.net).get("license")
    file_format = file_format_of(options.format)
    options.dtype = options.dtype or next(iter(file_format.tolerance))
    check_options(options, file_format)
    check_packages(options.format, file_format)
    exact, card = load(options)
    print(f"{exact.checkpoint}")
    if options.format == "upscayl":
        check_upscayl(options.out, exact)
    for warning in warnings_for(exact, options.format):
        print(f"warning: {warning}", file=sys.stderr)
    if options.dtype == INT8:
        findings = [str(export_int8(exact, card, folder=options.calibrate, out=options.out))]
    else:
        findings = _export_as_it_is(exact, card, file_format, options)
    size = sum(file.stat().st_size for file in written(options.out, file_format)) / 2**20
    print(f"{options.out}: {exact.name} x{exact.scale}, {size:.2f} MiB")
    for line in findings:
        print(line)


def _export_as_it_is(
    exact: TrainedGenerator, card: dict[str, str], file_format: Format, options: argparse.Namespace
) -> list[str]:
    """Export with weights of the type of the options; returns what was found of the result."""
    trained = rounded(exact, options.dtype)
    with naming(options.out):
        difference = export(
            trained, card, file_format=file_format, dtype=options.dtype, out=options.out, trust=options.trust
        )
    findings = [f"read again: differs from PyTorch by {difference:.1e} at most, on images in [0, 1]"]
    if trained is not exact:
        findings.append(
            f"weights in {options.dtype}: differ from those in fp32 by"
            f" {largest_difference(exact, trained.net):.1e} at most"
        )
    return findings


def check_options(options: argparse.Namespace, file_format: Format) -> None:
    """Raises ValueError."""
    if is_folder(file_format):
        if options.out.exists():
            raise ValueError(
                f"--out={options.out} exists: --format={options.format} makes a new folder, and replaces none"
            )
    elif options.out.suffix != file_format.parts[0]:
        raise ValueError(
            f"--out={options.out} must end in {file_format.parts[0]} for --format={options.format}"
        )
    stored = [*file_format.tolerance, *([INT8] if options.format in CALIBRATED else [])]
    if options.dtype not in stored:
        raise ValueError(f"--dtype={options.dtype}: --format={options.format} stores {', '.join(stored)}")
    if (options.dtype == INT8) != (options.calibrate is not None):
        raise ValueError(
            f"--dtype={options.dtype}: int8 needs the pictures of --calibrate DIR, such as the net will enlarge"
            if options.dtype == INT8
            else f"--calibrate={options.calibrate} is for --dtype=int8, not {options.dtype}"
        )
    if (options.alpha is None) != (options.interpolate_with is None):
        raise ValueError("--alpha and --interpolate-with go together: give both or neither")
    sources = {path.resolve() for path in (options.ckpt, options.interpolate_with) if path is not None}
    for file in written(options.out, file_format):
        if file.resolve() in sources:
            raise ValueError(f"--out={options.out} would replace {file}, which is its source")
        if file.is_dir():
            raise ValueError(f"--out={options.out}: {file} is a folder")
        if file.exists() and not options.out.exists():
            raise ValueError(
                f"--out={options.out} would replace {file}, which belongs to something else, since {options.out.name}"
                " is not there: choose another name"
            )


def check_packages(name: str, file_format: Format) -> None:
    """Raises RuntimeError with what to install."""
    missing = []
    for package in file_format.packages:
        try:
            importlib.import_module(package)
        except ImportError:
            missing.append(package)
    if missing:
        raise RuntimeError(
            f"--format={name} needs {', '.join(missing)}: pip install 'sr-lightning[{file_format.extra}]'"
            " (with the quotes)"
        )


def load(options: argparse.Namespace) -> tuple[TrainedGenerator, dict[str, str]]:
    """The net that the options ask for, and its model card."""
    trained = load_generator(options.ckpt, trust=options.trust)
    sources = [trained.checkpoint]
    if options.interpolate_with is not None:
        second = load_generator(options.interpolate_with, trust=options.trust)
        sources.append(second.checkpoint)
        trained = interpolate(trained, second, alpha=options.alpha)
    return trained, make_card(trained, sources=sources, alpha=options.alpha, license=options.license)


def export(
    trained: TrainedGenerator,
    card: dict[str, str],
    *,
    file_format: Format,
    out: Path,
    dtype: str = "fp32",
    trust: Sequence[str] = (),
) -> float:
    """Write the files, read them again, and only then move them to their places.

    Returns the largest difference between images from the files and from the net.

    Raises:
        RuntimeError: the difference is more than rounding explains.
    """
    with staged(out) as folder:
        for part, content in file_format.encode(trained, card, dtype=dtype).items():
            file = place_of(part, folder / out.name)
            file.parent.mkdir(exist_ok=True)
            write_bytes(file, content)
        difference = largest_difference(trained, file_format.load(folder / out.name, trust=trust))
        if not difference <= file_format.tolerance[dtype]:  # NaN fails this comparison too
            raise RuntimeError(
                f"{out}: the written file differs from PyTorch by {difference:.1e}, more than the"
                f" {file_format.tolerance[dtype]:.0e} that rounding explains; nothing was kept"
            )
    return difference


def written(out: Path, file_format: Format) -> list[Path]:
    return [place_of(part, out) for part in file_format.parts]
