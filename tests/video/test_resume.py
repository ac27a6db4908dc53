"""What a film is after a kill in the middle and --resume: the film of a run that was not killed."""

import json
import re
import signal
from pathlib import Path

import pytest
from films import Written, make_film, read_back
from helpers import run_program
from upscaling import upscale

from sr.video import writing

# The program, which is killed when it has encoded 14 frames.
KILLED = """
import os, signal
from sr.commands.upscale import main
from sr.video import encode
given, calls = encode.frame_of, []
def killed(*arguments):
    calls.append(1)
    if len(calls) == 15:
        os.kill(os.getpid(), signal.SIGKILL)
    return given(*arguments)
encode.frame_of = killed
main()
"""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    stamps = tuple(range(0, 512 * 24, 512))
    return make_film(tmp_path / "film.mp4", Written(stamps=stamps, audio=True, options=(("crf", "20"),)))


def arguments(film: Path, ckpt: str, out: Path, *options: object) -> list[str]:
    given = (
        film,
        "--ckpt",
        ckpt,
        "--out",
        out,
        "--precision",
        "fp32",
        "--segment",
        10,
        "--blend",
        0.5,
        *options,
    )
    return [str(each) for each in given]


def test_killed_and_resumed(film: Path, doubling: str, tmp_path: Path) -> None:
    out = tmp_path / "out" / "x2.mp4"
    killed = run_program("-c", KILLED, *arguments(film, doubling, out))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [path.name for path in out.parent.iterdir()] == [".x2.mp4.segments"]
    parts = sorted(path.name for path in (out.parent / ".x2.mp4.segments").iterdir())
    assert [name for name in parts if name[0] != "."] == ["000000.json", "000000.nut", "plan.json"]
    assert upscale(*arguments(film, doubling, out, "--resume")) == 0
    check_whole(film, doubling, out, tmp_path)


def check_whole(film: Path, ckpt: str, out: Path, tmp_path: Path) -> None:
    """The resumed film is, byte for byte, that of a run without an end in the middle, and nothing else is left."""
    assert [path.name for path in out.parent.iterdir() if path.name.startswith(".")] == []
    whole = tmp_path / f"whole{out.suffix}"
    assert upscale(*arguments(film, ckpt, whole)) == 0
    assert out.read_bytes() == whole.read_bytes()
    assert len(read_back(out).stamps) == 24


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_stopped_while_the_film_is_joined(
    film: Path, doubling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    def stopping(*given: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "out" / f"x2{suffix}"
    with monkeypatch.context() as patch:
        patch.setattr("sr.video.join.packets_of", stopping)
        assert upscale(*arguments(film, doubling, out)) == 130
    assert [path.name for path in out.parent.iterdir()] == [f".x2{suffix}.segments"]
    assert upscale(*arguments(film, doubling, out, "--resume")) == 0
    check_whole(film, doubling, out, tmp_path)


def test_what_was_done_is_not_done_again(
    film: Path, doubling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(film, doubling, tmp_path / "x2.mp4", monkeypatch, after=2)
    begun: list[str] = []
    encoding = writing.encoding_segment

    def noted(path: Path, **options: object) -> object:
        begun.append(path.name)
        return encoding(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(writing, "encoding_segment", noted)
    assert upscale(*arguments(film, doubling, tmp_path / "x2.mp4", "--resume")) == 0
    assert begun == ["000002.nut"]


def interrupted(
    film: Path,
    ckpt: str,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    after: int,
    options: tuple[object, ...] = (),
) -> None:
    """Run the program until Ctrl-C comes with `after` finished segments."""
    encoding, begun = writing.encoding_segment, []

    def stopping(path: Path, **given: object) -> object:
        begun.append(path)
        if len(begun) > after:
            raise KeyboardInterrupt
        return encoding(path, **given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(writing, "encoding_segment", stopping)
        assert upscale(*arguments(film, ckpt, out, *options)) == 130


def test_ctrl_c_says_how_to_go_on(
    film: Path,
    doubling: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    interrupted(film, doubling, tmp_path / "x2.mp4", monkeypatch, after=1)
    assert capfd.readouterr().out.splitlines()[-1] == (
        "the finished segments of a film are kept: --resume goes on with them"
    )
    assert not (tmp_path / "x2.mp4").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            (),
            r"\.x2\.mp4\.segments has 1 finished segment\(s\) of a run that did not end: add --resume to go on",
        ),
        (("--resume", "--crf", 20), r"--resume: encoding was h264 .*crf 16.* and is h264 .*crf 20"),
        (("--resume", "--segment", 5), r"--resume: segment was 10 and is 5: give what the run began with"),
        (("--resume", "--blend", 0), r"--resume: blend was 0\.5 and is 0\.0"),
    ],
)
def test_parts_of_another_run_are_not_taken(
    film: Path,
    doubling: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    options: tuple[object, ...],
    words: str,
) -> None:
    out = tmp_path / "x2.mp4"
    interrupted(film, doubling, out, monkeypatch, after=1)
    assert upscale(*arguments(film, doubling, out, *options)) == 1
    assert re.search(words, capfd.readouterr().err)
    assert not out.exists()
    assert len(list((tmp_path / ".x2.mp4.segments").glob("*.nut"))) == 1


def test_another_film_or_checkpoint_is_noticed(
    film: Path,
    doubling: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "x2.mp4"
    interrupted(film, doubling, out, monkeypatch, after=1)
    make_film(film, Written(stamps=tuple(range(0, 512 * 12, 512))))
    with Path(doubling).open("ab") as file:
        file.write(b"\0")
    assert upscale(*arguments(film, doubling, out, "--resume")) == 1
    assert re.search(r"--resume: checkpoint was \w+ and is \w+; source was", capfd.readouterr().err)


def test_the_first_run_decides_about_tiles(
    film: Path, doubling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Less memory may be free when a run goes on; other tiles would change the last bit of the result."""
    interrupted(film, doubling, tmp_path / "x2.mp4", monkeypatch, after=1)
    plan = json.loads((tmp_path / ".x2.mp4.segments" / "plan.json").read_text())
    monkeypatch.setattr("sr.upscale.upscaler.affordable_pixels", lambda network: plan["pixels"] // 3)
    assert upscale(*arguments(film, doubling, tmp_path / "x2.mp4", "--resume")) == 0
    check_whole(film, doubling, tmp_path / "x2.mp4", tmp_path)


def test_a_part_that_is_not_whole_is_made_again(
    film: Path, doubling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "x2.mp4"
    interrupted(film, doubling, out, monkeypatch, after=2)
    cut = tmp_path / ".x2.mp4.segments" / "000001.nut"
    cut.write_bytes(cut.read_bytes()[:-100])
    assert upscale(*arguments(film, doubling, out, "--resume")) == 0
    check_whole(film, doubling, out, tmp_path)


def test_frames_that_are_there_are_kept(film: Path, doubling: str, tmp_path: Path) -> None:
    options = (film, "--ckpt", doubling, "--out", tmp_path / "out", "--frames", "--precision", "fp32")
    assert upscale(*options) == 0
    paths = sorted((tmp_path / "out" / "film").iterdir())
    assert len(paths) == 24
    last = paths[-1].read_bytes()
    paths[0].write_bytes(b"mine")
    paths[-1].unlink()
    assert upscale(*options, "--skip-existing") == 0
    assert (paths[0].read_bytes(), paths[-1].read_bytes()) == (b"mine", last)
