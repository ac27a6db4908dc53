"""rasterio, the library of the extra `geo`, which is imported only where a scene is at work."""

from importlib.util import find_spec
from typing import Any

INSTALL = "pip install 'sr-lightning[geo]' (with the quotes)"


def has_rasterio() -> bool:
    """Whether the library is installed."""
    return find_spec("rasterio") is not None


def import_rasterio() -> Any:
    """The module `rasterio`. Raises RuntimeError with what to install."""
    try:
        import rasterio.enums
        import rasterio.errors
        import rasterio.shutil
    except ImportError as error:
        raise RuntimeError(f"scenes need the library rasterio: {INSTALL}") from error
    return rasterio
