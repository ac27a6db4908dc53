"""A folder of shards, on a disk or in object storage: whatever fsspec opens."""

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

FULL = (errno.ENOSPC, errno.EDQUOT)
SILENCE = 60  # seconds without a byte after which a web server is given up


class ShardError(OSError):
    """A shard, or the index of shards, that is missing, damaged or cannot be reached."""


class Storage:
    """The folder at a path or URL. A pickle of it opens the folder again in the other process.

    Keys and addresses come from the environment, so that no checkpoint contains them: variables of the library behind
    a protocol (`AWS_ACCESS_KEY_ID`, `HF_TOKEN`, ...), or of fsspec (`FSSPEC_S3_ENDPOINT_URL`).

    Args:
        url: a local path, s3://, gs://, hf://, https://, or another protocol of fsspec.

    Raises:
        ValueError: the url is empty, or its protocol is unknown or needs a package that is missing.
    """

    def __init__(self, url: str) -> None:
        if not url.strip():
            raise ValueError("the url of the shards is empty: name a folder that `sr-pack` has made")
        self.url = url.rstrip("/") or "/"
        self.is_web = url.startswith(("http://", "https://"))
        try:
            system, root = self._open()
        except ImportError as error:
            raise ValueError(f"{url}: its protocol needs one more package ({error})") from error
        except ValueError as error:
            raise ValueError(
                f"{url}: {error}; known are local paths, s3://, gs://, hf://, https://"
            ) from error
        is_local = isinstance(system, LocalFileSystem)
        self.local = Path(root) if is_local else None

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            FileNotFoundError: the file does not exist.
            ShardError: the storage is out of reach.
        """
        system, root = self._open()
        try:
            return bytes(system.cat_file(f"{root}/{name}"))
        except FileNotFoundError:
            raise FileNotFoundError(f"{self.url}/{name} does not exist") from None
        except Exception as error:  # from the library behind the protocol, whichever it is
            raise ShardError(f"{self.url}/{name} cannot be read ({_reason(error)})") from error

    def download(self, name: str, path: Path) -> None:
        """Copy a file to `path`. Raises as `read` does, and OSError where the disk is full."""
        system, root = self._open()
        try:
            system.get_file(f"{root}/{name}", str(path))
        except FileNotFoundError:
            raise FileNotFoundError(f"{self.url}/{name} does not exist") from None
        except Exception as error:
            if isinstance(error, OSError) and error.errno in FULL:
                raise
            raise ShardError(f"{self.url}/{name} cannot be read ({_reason(error)})") from error

    def sizes(self) -> dict[str, int] | None:
        """The size in bytes of every file by name; None for a web server, which has no reliable list.

        Raises:
            ShardError: the storage is out of reach.
        """
        if self.is_web:
            return None
        system, root = self._open()
        try:
            found = system.ls(root, detail=True, refresh=True)
        except FileNotFoundError:
            return {}
        except Exception as error:
            raise ShardError(f"{self.url} cannot be listed ({_reason(error)})") from error
        return {
            entry["name"].rstrip("/").rsplit("/", 1)[-1]: int(entry["size"] or 0)
            for entry in found
            if entry["type"] == "file"
        }

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A path to write a file to; afterwards the complete file appears under its name, or nothing does.

        Raises:
            ShardError: it cannot be written.
        """
        if self.local is not None:
            self.local.mkdir(parents=True, exist_ok=True)
            part = self.local / f"{name}.part"
            try:
                yield part
                part.replace(self.local / name)
            finally:
                part.unlink(missing_ok=True)
            return
        system, root = self._open()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            yield path
            try:
                system.put_file(str(path), f"{root}/{name}")
            except Exception as error:
                raise ShardError(f"{self.url}/{name} cannot be written ({_reason(error)})") from error

    def remove(self, name: str) -> None:
        """Remove a file if it exists."""
        system, root = self._open()
        try:
            system.rm_file(f"{root}/{name}")
        except FileNotFoundError:
            pass
        except Exception as error:
            raise ShardError(f"{self.url}/{name} cannot be removed ({_reason(error)})") from error

    def _open(self) -> tuple[Any, str]:
        # Made anew each time: fsspec keeps one for each process, which must not be used after a fork.
        options: dict[str, Any] = {}
        if self.is_web:  # aiohttp's own limit is five minutes for a whole file
            options["client_kwargs"] = {"timeout": aiohttp.ClientTimeout(total=None, sock_read=SILENCE)}
        system, root = url_to_fs(self.url, **options)
        return system, str(root).rstrip("/")


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
