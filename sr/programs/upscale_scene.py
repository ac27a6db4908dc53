"""A georeferenced scene in, a larger one out."""

import argparse
from collections.abc import Callable

from tqdm import tqdm

from sr.geo.enlarging import blocks, enlarge_scene
from sr.geo.scene import Raster, cloud_optimised, created, opened
from sr.ops.staged import staged
from sr.upscale.jobs import UpscaleJob
from sr.upscale.upscaler import Upscaler


def upscale_scene(
    job: UpscaleJob, upscaler: Upscaler, options: argparse.Namespace, *, say: Callable[[str], None]
) -> None:
    """Upscale one scene, in blocks. The result appears when it is complete.

    Raises:
        OSError, ValueError, MemoryError, NotFiniteError: the scene is impossible; the message says why.
    """
    source, target, scale = job.source, job.target, upscaler.network.scale
    if upscaler.scale != scale:
        raise ValueError(
            f"{source}: a scene is enlarged by the scale of the net, which is {scale}, and not by {upscaler.scale:g}"
        )
    with opened(source) as reader:
        shape = reader.shape
        upscaler.check(bands=shape.bands, dtype=shape.dtype)
        grid = blocks(shape, scale=scale, margin=upscaler.margin)
        say(
            f"{source}: {shape.width} x {shape.height} pixels, {shape.bands} bands of {shape.dtype},"
            f" {reader.source.crs or 'no coordinate system'}; {len(grid)} block(s)"
        )
        with (
            staged(target) as folder,
            tqdm(
                total=len(grid), desc=source.name, unit="block", disable=None if len(grid) > 1 else True
            ) as bar,
        ):
            file = folder / target.name
            with created(file, reader, raster=Raster(scale=scale)) as writer:
                enlarge_scene(
                    reader,
                    writer,
                    grid=grid,
                    scale=scale,
                    enlarge=upscaler,
                    advance=lambda done: bar.update(done),
                )
            if options.cog:
                cloud_optimised(file)
