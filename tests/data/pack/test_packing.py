"""Bytes go in and come out unchanged, and nothing unfinished is taken for whole."""

import re
import tarfile
from pathlib import Path

import pytest
from helpers import picture, run_here

from sr.data.pack import packing
from sr.data.pack.packing import check_empty, find_originals, pack
from sr.data.shards.images import find_shards
from sr.data.shards.index import read_index
from sr.data.shards.storage import ShardError, Storage
from sr.pictures.picture import UnreadableImageError
from sr.pictures.writing import write_png


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(7):
        write_png(tmp_path / "images" / "deep" / f"{number}.png", picture(40, 48, seed=number))
    (tmp_path / "images" / "b.x.JPG").write_bytes((tmp_path / "images" / "deep" / "0.png").read_bytes())
    return tmp_path / "images"


def packed(folder: Path, out: Path, **settings: object) -> Storage:
    storage = Storage(str(out))
    originals, _ = find_originals(folder, on_error="raise", progress=lambda paths: paths)
    pack(originals, storage, **{"shard_bytes": 11_000, "shuffle": None} | settings)  # type: ignore[arg-type]
    return storage


def test_the_tars_hold_the_files_as_they_are_in_webdataset_s_layout(folder: Path, tmp_path: Path) -> None:
    storage = packed(folder, tmp_path / "out")
    shards = find_shards(storage)
    assert len(shards) > 2
    seen = {}
    for shard in shards:
        assert shard.bytes <= 11_000
        whole = (tmp_path / "out" / shard.name).read_bytes()
        assert len(whole) == shard.bytes
        with tarfile.open(tmp_path / "out" / shard.name) as tar:
            assert [member.name for member in tar] == [image.member for image in shard.images]
            for image in shard.images:
                content = tar.extractfile(image.member)
                assert content is not None
                assert whole[image.offset : image.offset + image.bytes] == content.read()
                assert re.fullmatch(r"\d{8}\.(png|jpg)", image.member)  # one dot: the key, and the kind
                assert (image.height, image.width) == (40, 48)
                seen[image.path] = whole[image.offset : image.offset + image.bytes]
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    assert seen == files


def test_the_same_folder_gives_the_same_bytes_and_a_seed_another_order(folder: Path, tmp_path: Path) -> None:
    for name, seed in (("one", None), ("two", None), ("three", 5), ("four", 5)):
        packed(folder, tmp_path / name, shuffle=seed)
    content = {
        name: [path.read_bytes() for path in sorted((tmp_path / name).iterdir())]
        for name in ("one", "two", "three", "four")
    }
    assert content["one"] == content["two"]
    assert content["three"] == content["four"]
    assert content["one"] != content["three"]


def test_unreadable_files_are_named_or_skipped(folder: Path) -> None:
    (folder / "deep" / "3.png").write_bytes(b"no image")
    with pytest.raises(UnreadableImageError, match=r"3\.png"):
        find_originals(folder, on_error="raise", progress=lambda paths: paths)
    originals, skipped = find_originals(folder, on_error="skip", progress=lambda paths: paths)
    assert (len(originals), skipped) == (7, 1)


def test_an_interrupted_run_leaves_nothing_that_training_would_take(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed(folder, tmp_path / "out")
    write_shard = packing._write_shard

    def interrupted(path: Path, name: str, *arguments: object, **settings: object) -> object:
        if name == "shard-000001.tar":
            raise KeyboardInterrupt
        return write_shard(path, name, *arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(packing, "_write_shard", interrupted)
    with pytest.raises(KeyboardInterrupt):
        packed(folder, tmp_path / "out")
    with pytest.raises(FileNotFoundError, match=r"index\.json does not exist: make it by"):
        find_shards(Storage(str(tmp_path / "out")))


def test_what_is_there_is_kept_unless_asked(folder: Path, tmp_path: Path) -> None:
    storage = packed(folder, tmp_path / "out")
    with pytest.raises(FileExistsError, match="holds shards already: take another folder, or --overwrite"):
        check_empty(storage, overwrite=False)
    check_empty(storage, overwrite=True)
    (tmp_path / "out" / "thesis.doc").touch()
    with pytest.raises(FileExistsError, match=r"thesis\.doc, which is not a shard"):
        check_empty(storage, overwrite=True)


def test_fewer_shards_replace_more(folder: Path, tmp_path: Path) -> None:
    packed(folder, tmp_path / "out")
    packed(folder, tmp_path / "out", shard_bytes=10**9)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["index.json", "shard-000000.tar"]


def test_an_index_of_later_or_damaged_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"x/index\.json has version 9, and this program reads up to 1"):
        read_index(b'{"version": 9}', place="x/index.json")
    for damaged in (b"", b"[]", b'{"version": 1, "shards": [{"name": "../x"}]}'):
        with pytest.raises(ValueError, match=r"is not an index of shards|is damaged"):
            read_index(damaged, place="x/index.json")


def test_a_changed_shard_is_noticed_before_training(folder: Path, tmp_path: Path) -> None:
    storage = packed(folder, tmp_path / "out")
    first, second, *_ = sorted((tmp_path / "out").glob("*.tar"))
    first.write_bytes(first.read_bytes()[:-512])
    with pytest.raises(ShardError, match=r"shard-000000\.tar has \d+ bytes where index\.json says"):
        find_shards(storage)
    packed(folder, tmp_path / "out")
    second.unlink()
    with pytest.raises(
        FileNotFoundError, match=r"shard-000001\.tar does not exist, and index\.json lists it"
    ):
        find_shards(storage)


def test_the_program(folder: Path, tmp_path: Path) -> None:
    command = ("-m", "sr.commands.pack", str(folder), "--out", str(tmp_path / "out"), "--shard-mb", "0.02")
    done = run_here(*command)
    assert done.returncode == 0, done.stderr
    assert f"packed 8 images into {len(list((tmp_path / 'out').glob('*.tar')))} shards" in done.stdout
    assert f"next: sr-train data=shards data.url={tmp_path}/out" in done.stdout
    again = run_here(*command)
    assert again.returncode == 1
    assert "--overwrite" in again.stderr
    assert "Traceback" not in again.stderr
