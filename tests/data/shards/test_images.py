"""Images out of shards are those of the folder, from a disk and over the network, and damage is named."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import fsspec
import numpy as np
import pytest

from sr.data.shards import cache as cache_module
from sr.data.shards.cache import ShardCache, check_limit
from sr.data.shards.images import ShardImages, find_shards
from sr.data.shards.index import Shard
from sr.data.shards.storage import ShardError, Storage
from sr.data.sources import ImageFiles


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "PAUSE", 0.01)


def remote(url: str, folder: Path, *, limit: int = 10**9) -> ShardImages:
    storage = Storage(url)
    return ShardImages(
        find_shards(storage), storage=storage, cache=ShardCache(folder, storage=storage, limit=limit)
    )


def same(found: ShardImages, folder: Path) -> bool:
    files = ImageFiles.from_directory(folder)
    paths = {files.name(index): index for index in range(len(files))}
    assert len(found) == len(files)
    return all(
        np.array_equal(found[index], files[paths[found.name(index)]])
        and found.size(index) == files.size(paths[found.name(index)])
        for index in range(len(found))
    )


def test_from_a_local_folder(packed: list[Shard], folder: Path, tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "shards"))
    found = ShardImages(find_shards(storage), storage=storage, cache=None)
    assert same(found, folder)
    assert sorted(found.listing()) == sorted(ImageFiles.from_directory(folder).listing())


def test_over_the_network(
    packed: list[Shard], folder: Path, tmp_path: Path, served: Callable[[], str]
) -> None:
    assert same(remote(served(), tmp_path / "cache"), folder)
    for path in (tmp_path / "shards").glob("*.tar"):
        path.unlink()
    assert same(remote(served(), tmp_path / "cache"), folder)  # all of it is here now


def test_from_an_object_store(packed: list[Shard], folder: Path, tmp_path: Path) -> None:
    store = fsspec.filesystem("memory")
    store.put(f"{tmp_path}/shards/", "/bucket/set/", recursive=True)
    assert same(remote("memory://bucket/set", tmp_path / "cache"), folder)


def test_the_cache_holds_no_more_than_it_may(
    packed: list[Shard], folder: Path, tmp_path: Path, served: Callable[[], str]
) -> None:
    limit = 3 * max(shard.bytes for shard in packed)
    found = remote(served(), tmp_path / "cache", limit=limit)
    for index in np.random.default_rng(0).permutation(len(found)):
        found[int(index)]
        assert sum(path.stat().st_size for path in (tmp_path / "cache").glob("*.tar")) <= limit
    assert same(found, folder)
    with pytest.raises(ValueError, match=r"data\.cache_gb=.*take a larger data\.cache_gb or fewer at once"):
        check_limit(packed, shards_at_once=4, limit=limit)


def test_a_damaged_download_is_tried_again_and_never_used(
    packed: list[Shard], folder: Path, tmp_path: Path, served: Callable[[], str]
) -> None:
    path = tmp_path / "shards" / packed[0].name
    good = path.read_bytes()
    bad = bytearray(good)
    bad[700] ^= 1
    path.write_bytes(bad)
    found = remote(served(), tmp_path / "cache")
    with pytest.raises(ShardError, match=r"shard-000000\.tar has the SHA-256 .* tried 3 times"):
        found[0]
    assert not list((tmp_path / "cache").glob("*.tar"))
    path.write_bytes(good[:-100])
    with pytest.raises(ShardError, match=r"arrived with \d+ bytes where the index says"):
        found[0]
    path.write_bytes(good)
    assert same(found, folder)


def fetch_all(arguments: tuple[str, Path, int]) -> int:
    url, folder, limit = arguments
    found = remote(url, folder, limit=limit)
    return sum(int(found[index].sum()) for index in range(len(found)))


def test_processes_share_a_cache(
    packed: list[Shard], folder: Path, tmp_path: Path, served: Callable[[], str]
) -> None:
    files = ImageFiles.from_directory(folder)
    expected = sum(int(files[index].sum()) for index in range(len(files)))
    work = (served(), tmp_path / "cache", 4 * max(shard.bytes for shard in packed))
    with ProcessPoolExecutor(3) as pool:
        assert list(pool.map(fetch_all, [work] * 3)) == [expected] * 3
    left = [path.name for path in (tmp_path / "cache").iterdir() if path.suffix in (".part", ".lock")]
    assert not left


def test_what_a_killed_process_left_is_removed(
    packed: list[Shard], tmp_path: Path, served: Callable[[], str]
) -> None:
    found = remote(served(), tmp_path / "cache")
    assert found.cache is not None
    (tmp_path / "cache").mkdir()
    dead = found.cache.path(found.shards[1])
    dead.with_name(dead.name + ".part").write_bytes(b"half")
    dead.with_name(dead.name + ".lock").touch()
    found[0]
    assert not list((tmp_path / "cache").glob("*.part"))
    assert not list((tmp_path / "cache").glob("*.lock"))


def test_the_shard_that_a_killed_process_was_fetching_takes_its_room_once(
    packed: list[Shard], tmp_path: Path
) -> None:
    """A cache just large enough would otherwise be waited for without end."""
    storage = Storage(str(tmp_path / "shards"))
    cache = ShardCache(tmp_path / "cache", storage=storage, limit=packed[0].bytes + packed[1].bytes)
    cache.open(packed[1]).close()
    with Path(f"{cache.path(packed[0])}.lock").open("ab") as left:
        os.truncate(left.fileno(), packed[0].bytes)
    cache.fetch(packed[0], wait=False)
    assert cache.path(packed[0]).exists()
    assert cache.path(packed[1]).exists()


def test_a_server_that_is_away_is_named(packed: list[Shard], tmp_path: Path) -> None:
    with pytest.raises((ShardError, FileNotFoundError), match=r"http://127\.0\.0\.1:9/index\.json"):
        find_shards(Storage("http://127.0.0.1:9"))


def test_urls(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the url of the shards is empty"):
        Storage(" ")
    with pytest.raises(ValueError, match=r"nowhere://x.*known are local paths"):
        Storage("nowhere://x")
    assert Storage(str(tmp_path)).local == tmp_path
