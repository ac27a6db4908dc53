"""A page on this machine that enlarges pictures: a net or a mix of two, before beside after, the result as a file."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import cv2
import numpy as np

from sr.ops.hardware import pick_device
from sr.ops.image import quantize, to_float
from sr.ops.normalisation import normalisation
from sr.ops.resize import imresize
from sr.pictures.picture import Picture
from sr.pictures.reading import read_header, read_picture
from sr.pictures.writing import write_picture
from sr.upscale.engines.in_torch import TorchEngine, usual_precision
from sr.upscale.network import Network, NotFiniteError
from sr.upscale.upscaler import Upscaler
from sr.weights.generator import TrainedGenerator, load_generator
from sr.weights.interpolation import interpolate

ALONE = "no other net"
KEPT = 4  # nets and mixes of nets that stay in memory
HINT = "Drop a picture here, or click to choose one"


class Nets:
    """The nets of the page, and what is made of two of them.

    Args:
        files: their checkpoints.
        trust: packages whose nets the checkpoints may name.
        device: the name of the device that they run on.
        precision: fp32, bf16, or auto, which is bf16 where the device has instructions for it.
    """

    def __init__(self, files: Sequence[Path], *, trust: Sequence[str], device: str, precision: str) -> None:
        self._trained = {name: load_generator(file, trust=trust) for name, file in _named(files).items()}
        self._device = pick_device(device)
        self._precision = precision
        self._upscalers: dict[tuple[str, str, float], Upscaler] = {}

    @property
    def names(self) -> list[str]:
        """The names by which a user chooses: those of the files, or their paths where names are alike."""
        return list(self._trained)

    def enlarge(self, picture: Picture, *, first: str, second: str, alpha: float) -> Picture:
        """The enlarged picture.

        Args:
            picture: the picture.
            first: the name of a net.
            second: the name of the net that it is mixed with, or ALONE.
            alpha: the share of the second net, from 0 to 1.

        Raises:
            ValueError: the two nets are of different architectures, or for other channels.
            MemoryError: the picture does not fit into memory.
            NotFiniteError: the net gives values that are not finite.
        """
        upscaler = self._upscaler(first, second, alpha if second != ALONE else 0.0)
        height, width = picture.colour.shape[:2]
        channels = picture.colour.shape[2] + (picture.alpha is not None)
        upscaler.check_memory(height, width, channels=channels, depth=picture.colour.itemsize)
        return upscaler(picture)

    def _upscaler(self, first: str, second: str, alpha: float) -> Upscaler:
        key = (first, second, alpha)
        if key not in self._upscalers:
            if len(self._upscalers) >= KEPT:
                self._upscalers.pop(next(iter(self._upscalers)))
            trained = self._mixed(first, second, alpha)
            trained.net.to(self._device)
            network = Network(
                net=trained.net,
                scale=trained.scale,
                channels=trained.channels,
                device=self._device,
                engine=TorchEngine(trained.net, precision=usual_precision(self._precision, self._device)),
            )
            self._upscalers[key] = Upscaler(network=network, by=normalisation(trained.normalise))
        return self._upscalers[key]

    def _mixed(self, first: str, second: str, alpha: float) -> TrainedGenerator:
        if second == ALONE:
            return self._trained[first]
        return interpolate(self._trained[first], self._trained[second], alpha=alpha)


def run(options: argparse.Namespace) -> None:
    """Open the nets and serve the page to this machine alone, until Ctrl-C.

    Raises:
        RuntimeError: the extra `demo` is not installed.
    """
    gradio = import_gradio()
    nets = Nets(options.ckpt, trust=options.trust, device=options.device, precision=options.precision)
    with TemporaryDirectory(prefix="sr-demo-") as folder:
        page = make_page(gradio, nets, Path(folder))
        print(f"http://127.0.0.1:{options.port}   (Ctrl-C ends it)", flush=True)
        page.launch(
            server_name="127.0.0.1",
            server_port=options.port,
            inbrowser=options.browser,
            share=False,
            quiet=True,
            footer_links=[],
            theme=gradio.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        )


def import_gradio() -> Any:
    """The library of the page, which then asks nothing of the network. Raises RuntimeError with what to install."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import gradio
    except ImportError as error:
        raise RuntimeError(
            "sr-demo needs gradio: pip install 'sr-lightning[demo]' (with the quotes)"
        ) from error
    return gradio


def make_page(gradio: Any, nets: Nets, folder: Path) -> Any:
    """The page.

    Args:
        gradio: the library, see `import_gradio`.
        nets: the nets to choose from.
        folder: the directory of the results, from which they are downloaded.
    """
    several = len(nets.names) > 1

    def enlarge(source: str | None, first: str, second: str, alpha: float) -> tuple[Any, Any, str]:
        if source is None:
            raise gradio.Error("drop a picture first", title="No picture")
        try:
            before, after, file, words = _answer(
                nets, Path(source), folder, first=first, second=second, alpha=alpha
            )
        # Errors of a picture, its file, the nets or the memory; anything else is a bug and shows its traceback.
        except (OSError, ValueError, MemoryError, NotFiniteError) as error:
            raise gradio.Error(str(error), title="Not enlarged") from error
        return (before, after), gradio.DownloadButton(value=file, interactive=True), words

    with gradio.Blocks(title="sr-demo", analytics_enabled=False) as page:
        gradio.Markdown("# Enlarge a picture\nIt stays on this machine.")
        with gradio.Row():
            with gradio.Column(scale=1, min_width=280):
                picture = gradio.Image(
                    type="filepath",
                    image_mode=None,
                    sources=["upload", "clipboard"],
                    label="Picture",
                    placeholder=HINT,
                    height=260,
                    elem_id="picture",
                )
                first = gradio.Dropdown(nets.names, value=nets.names[0], label="Net", elem_id="first")
                second = gradio.Dropdown(
                    [ALONE, *nets.names], value=ALONE, label="Mixed with", visible=several, elem_id="second"
                )
                alpha = gradio.Slider(
                    0,
                    1,
                    value=0.5,
                    step=0.05,
                    label="Share of the second net",
                    visible=False,
                    elem_id="alpha",
                )
                go = gradio.Button("Enlarge", variant="primary", elem_id="go")
            with gradio.Column(scale=2, min_width=320):
                seen = gradio.ImageSlider(
                    type="numpy",
                    format="png",
                    label="Before (bicubic) and after",
                    interactive=False,
                    max_height=640,
                    buttons=["fullscreen"],
                    elem_id="seen",
                )
                words = gradio.Markdown(elem_id="words")
                download = gradio.DownloadButton("Download the result", interactive=False, elem_id="download")
        second.change(
            lambda name: gradio.Slider(visible=name != ALONE), second, alpha, show_progress="hidden"
        )
        go.click(enlarge, [picture, first, second, alpha], [seen, download, words])
    return page


def _answer(
    nets: Nets, source: Path, folder: Path, *, first: str, second: str, alpha: float
) -> tuple[np.ndarray, np.ndarray, str, str]:
    """Before and after as (H, W, 3) uint8, the file of the result, and a line about it."""
    read_header(source)  # which names what is wrong with a file before it is decoded
    picture = read_picture(source)
    began = perf_counter()
    result = nets.enlarge(picture, first=first, second=second, alpha=alpha)
    seconds = perf_counter() - began
    file = folder / f"{source.stem}_enlarged.png"
    write_picture(file, result)
    after = _shown(result)
    mix = "" if second == ALONE else f", {alpha:.0%} of {second}"
    (height, width), (rows, columns) = picture.colour.shape[:2], after.shape[:2]
    words = f"{width} x {height} became {columns} x {rows} in {seconds:.1f} s ({first}{mix})"
    notes = "".join(f"\n- {note}" for note in picture.notes)
    return _shown(picture, size=(rows, columns)), after, str(file), words + notes


def _shown(picture: Picture, *, size: tuple[int, int] | None = None) -> np.ndarray:
    """A picture as a screen shows it, (H, W, 3) uint8 on white; by bicubic at another size."""
    colour = to_float(picture.colour)
    colour = np.repeat(colour, 3, axis=2) if colour.shape[2] == 1 else colour[:, :, :3]
    if picture.alpha is not None:
        colour = 1 - (1 - colour) * to_float(picture.alpha)
    if size is not None and size != colour.shape[:2]:
        colour = imresize(colour, size=size)
    return cv2.convertScaleAbs(quantize(colour), alpha=255)


def _named(files: Sequence[Path]) -> dict[str, Path]:
    names = [file.stem for file in files]
    if len(set(names)) < len(names):  # as best.ckpt of several runs
        return {str(file): file for file in files}
    return dict(zip(names, files, strict=True))
