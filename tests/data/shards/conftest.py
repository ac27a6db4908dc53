"""A folder of images, packed into small shards."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from helpers import picture

from sr.data.pack.packing import find_originals, pack
from sr.data.shards.index import Shard
from sr.data.shards.storage import Storage
from sr.pictures.writing import write_png

IMAGES = 24


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two dozen images of 40 x 48, below two folders."""
    for number in range(IMAGES):
        write_png(tmp_path / "images" / "ab"[number % 2] / f"{number:02}.png", picture(40, 48, seed=number))
    return tmp_path / "images"


@pytest.fixture
def packed(folder: Path, tmp_path: Path) -> list[Shard]:
    """In tmp_path/shards, three or four to a shard."""
    originals, _ = find_originals(folder, on_error="raise", progress=lambda paths: paths)
    return pack(originals, Storage(str(tmp_path / "shards")), shard_bytes=30_000, shuffle=None)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[[], str]]:
    """The address of tmp_path/shards on a web server of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "shards")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield lambda: f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
