"""What an offline run of W&B has written, read with W&B's own protobuf classes."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record

LIMIT = 60.0  # seconds
BLOCK = 32768  # bytes; the file is a log as LevelDB writes them
HEADER = 7  # bytes of the file, and of each piece of a record: checksum, length, kind
WHOLE, LAST = 1, 4  # kinds of pieces that end a record


class WandbRecord:
    """The record of a run that has ended.

    Args:
        folder: the folder in which W&B has made `wandb`.
    """

    def __init__(self, folder: Path) -> None:
        (file,) = (folder / "wandb").glob("*run-*/run-*.wandb")
        self.folder = file.parent
        self.records = list(_records(file.read_bytes()))
        # W&B's own process writes the file, and may write its end a moment after `finish` has returned.
        deadline = monotonic() + LIMIT
        while not self.of("exit") and monotonic() < deadline:
            sleep(0.1)
            self.records = list(_records(file.read_bytes()))
        assert self.of("exit"), f"{file} has no end"

    def of(self, kind: str) -> list[Any]:
        return [getattr(each, kind) for each in self.records if each.WhichOneof("record_type") == kind]

    @property
    def run(self) -> Any:
        return self.of("run")[-1]

    def history(self) -> list[dict[str, Any]]:
        """What was logged, one dict for each call; nested keys are joined by `.`."""
        return [_values(each.item) for each in self.of("history")]

    def column(self, key: str) -> list[tuple[Any, Any]]:
        """(iteration, value) of everything that was logged under this key."""
        return [(row.get("iteration"), row[key]) for row in self.history() if key in row]

    def summary(self) -> dict[str, Any]:
        return {key: value for each in self.of("summary") for key, value in _values(each.update).items()}

    def config(self) -> dict[str, Any]:
        return {key: value for each in self.of("config") for key, value in _values(each.update).items()}

    def artifacts(self, kind: str) -> list[Any]:
        return [each for each in self.of("artifact") if each.type == kind]

    def tables(self, key: str) -> list[dict[str, Any]]:
        """The content of the tables that were logged under a key with `/`, in order."""
        files = [
            entry.local_path
            for artifact in self.artifacts("run_table")
            for entry in artifact.manifest.contents
            if entry.path == f"{key}.table.json"
        ]
        return [json.loads(Path(file).read_text()) for file in files]


def _values(items: Any) -> dict[str, Any]:
    return {".".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}


def _records(data: bytes) -> Iterator[Record]:
    assert data[:4] == b":W&B"
    place, record = HEADER, b""
    while place + HEADER <= len(data):
        left = BLOCK - place % BLOCK
        if left < HEADER:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + HEADER])
        record += data[place + HEADER : place + HEADER + length]
        place += HEADER + length
        if kind in (WHOLE, LAST):
            yield Record.FromString(record)
            record = b""
