"""A folder of images -> shards for data=shards."""

import argparse
from functools import partial

from tqdm import tqdm

from sr.data.cache.folder import gigabytes
from sr.data.pack.packing import check_empty, find_originals, pack
from sr.data.shards.storage import Storage


def run(options: argparse.Namespace) -> None:
    """Pack the folder; every mistake is found before the first byte is written."""
    storage = Storage(options.out)
    check_empty(storage, overwrite=options.overwrite)
    bar = partial(tqdm, unit="image", disable=None)
    originals, skipped = find_originals(
        options.folder, on_error=options.on_error, progress=partial(bar, desc="headers", leave=False)
    )
    with bar(total=len(originals), desc="packing") as shown:
        shards = pack(
            originals,
            storage,
            shard_bytes=int(options.shard_mb * 1e6),
            shuffle=options.shuffle,
            report=lambda shard: shown.update(len(shard.images)),
        )
    total, largest = sum(shard.bytes for shard in shards), max(shard.bytes for shard in shards)
    left_out = f", {skipped} skipped" if skipped else ""
    print(
        f"packed {len(originals)} images{left_out} into {len(shards)} shards in {storage.url}:"
        f" {gigabytes(total)}, the largest {gigabytes(largest)}"
    )
    print(f"next: sr-train data=shards data.url={storage.url}")
