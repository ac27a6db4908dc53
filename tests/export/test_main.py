"""The program: what it refuses, what it keeps, what it says."""

import errno
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers import run_here, run_program

from sr.commands.export import parse
from sr.export.ncnn_graph import Ncnn
from sr.export.state_dict import Safetensors
from sr.ops.weight_file import CheckpointError
from sr.programs import export as program
from sr.weights.generator import load_generator

Write = Callable[..., Path]  # see conftest.py


def export(ckpt: Path, name: str, out: Path, *options: str) -> None:
    program.run(parse(["--ckpt", str(ckpt), "--format", name, "--out", str(out), *options]))


def test_as_a_user_runs_it(write: Write, tmp_path: Path) -> None:
    ckpt, out = write("rrdbnet_x4"), tmp_path / "new" / "folder" / "net.v2.safetensors"
    done = run_program(
        "-m", "sr.commands.export", "--ckpt", str(ckpt), "--format", "safetensors", "--out", str(out)
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"{ckpt}: checkpoint of a run, weights: state_dict / generator_ema",
        f"{out}: RRDBNet x4, {out.stat().st_size / 2**20:.2f} MiB",
        "read again: differs from PyTorch by 0.0e+00 at most, on images in [0, 1]",
    ]
    assert [path.name for path in out.parent.iterdir()] == ["net.v2.safetensors"]


def test_a_refusal_is_one_message_and_status_1(write: Write, tmp_path: Path) -> None:
    out = tmp_path / "net.onnx"
    done = run_here(
        "-m", "sr.commands.export", "--ckpt", str(write("compact")), "--format", "pth", "--out", str(out)
    )
    assert done.returncode == 1
    assert f"error: --out={out} must end in .pth for --format=pth" in done.stderr
    assert "Traceback" not in done.stderr


def test_interpolation_is_that_of_the_weights(write: Write, tmp_path: Path) -> None:
    first, second = write("compact", seed=0, file="a.ckpt"), write("compact", seed=1, file="b.ckpt")
    out = tmp_path / "mixed.pth"
    export(first, "pth", out, "--interpolate-with", str(second), "--alpha", "0.25")
    one, other, mixed = (load_generator(path).net.state_dict() for path in (first, second, out))
    for key, value in mixed.items():
        torch.testing.assert_close(value, 0.75 * one[key] + 0.25 * other[key])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--alpha", "0.5"), "--alpha and --interpolate-with go together"),
        (("--interpolate-with", "other.ckpt"), "--alpha and --interpolate-with go together"),
        (("--interpolate-with", "other.ckpt", "--alpha", "0.5"), "other.ckpt does not exist"),
    ],
)
def test_options_that_do_not_go_together(
    write: Write, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        export(write("compact"), "pth", tmp_path / "out.pth", *options)


def test_alpha_outside_0_and_1(write: Write, tmp_path: Path) -> None:
    ckpt = write("compact")
    with pytest.raises(ValueError, match=r"alpha=1\.5 must be in \[0, 1\]"):
        export(ckpt, "pth", tmp_path / "out.pth", "--interpolate-with", str(ckpt), "--alpha", "1.5")


def test_a_source_is_never_replaced(write: Write, tmp_path: Path) -> None:
    ckpt = write("compact", file="net.pth")
    with pytest.raises(ValueError, match=r"would replace .*net\.pth, which is its source"):
        export(ckpt, "pth", tmp_path / "." / "net.pth")
    weights = write("compact", file="net.bin")
    with pytest.raises(ValueError, match=r"would replace .*net\.bin"):
        export(weights, "ncnn", tmp_path / "net.param")  # writes the .bin beside it


def test_the_weights_of_another_format_are_never_replaced(write: Write, tmp_path: Path) -> None:
    """ncnn and OpenVINO both have a .bin."""
    (tmp_path / "out.bin").write_bytes(b"of out.param")
    with pytest.raises(ValueError, match=r"would replace .*out\.bin, which .* since out\.xml is not there"):
        export(write("compact"), "openvino", tmp_path / "out.xml")


def test_a_folder_in_the_way(write: Write, tmp_path: Path) -> None:
    (tmp_path / "out.pth").mkdir()
    with pytest.raises(ValueError, match=r"out\.pth is a folder"):
        export(write("compact"), "pth", tmp_path / "out.pth")


@pytest.mark.parametrize(
    ("name", "suffix", "package", "extra"),
    [
        ("onnx", ".onnx", "onnxruntime", "export"),
        ("ncnn", ".param", "pnnx", "export"),
        ("openvino", ".xml", "openvino", "openvino"),
    ],
)
def test_a_missing_package_is_named_with_what_to_install(
    write: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    suffix: str,
    package: str,
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(RuntimeError, match=rf"{package}.*pip install 'sr-lightning\[{extra}\]'"):
        export(write("compact"), name, tmp_path / f"out{suffix}")


def corrupted(path: Path, content: bytes) -> None:
    path.write_bytes(content[:-2] + bytes([content[-2] ^ 1, content[-1]]))  # one bit of the last weight


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("write_bytes", corrupted, "damaged, since its SHA-256 does not match"),
        (
            "largest_difference",
            lambda *_: 1e-7,
            "more than the 0e\\+00 that rounding explains; nothing was kept",
        ),
    ],
)
def test_what_does_not_compute_the_same_is_not_kept(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, wrong: object, message: str
) -> None:
    out = tmp_path / "out.safetensors"
    out.write_bytes(b"old")
    monkeypatch.setattr(program, name, wrong)
    with pytest.raises((CheckpointError, RuntimeError), match=message):
        export(write("compact"), "safetensors", out)
    assert out.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.ckpt", "out.safetensors"]


def test_a_full_disk_leaves_the_old_file(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.pth"
    out.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError) as caught:
        export(write("compact"), "pth", out)
    assert (caught.value.filename, caught.value.strerror) == (str(out), "No space left on device")
    assert out.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.ckpt", "out.pth"]


def test_no_work_is_done_for_a_folder_that_cannot_be(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Safetensors, "encode", lambda *_, **__: pytest.fail("worked first"))
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "out.safetensors"
    with pytest.raises(OSError) as caught:
        export(write("compact"), "safetensors", out)
    assert caught.value.filename == str(out)


def test_ncnn_is_two_files_side_by_side(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "check_packages", lambda *_: None)
    monkeypatch.setattr(Ncnn, "encode", lambda *_, **__: {".param": b"layers", ".bin": b"weights"})
    monkeypatch.setattr(Ncnn, "load", lambda *_, **__: load_generator(tmp_path / "net.ckpt").net)
    export(write("compact"), "ncnn", tmp_path / "out.param")
    assert (tmp_path / "out.param").read_bytes() == b"layers"
    assert (tmp_path / "out.bin").read_bytes() == b"weights"


@pytest.mark.parametrize(
    ("net", "words"),
    [
        ("rrdbnet_x4", None),
        ("compact", None),
        ("compact_bicubic", "give OTHER IMAGES without an error: .* skip=bicubic"),
        ("srresnet", "do not know the architecture SRResNet by its weights"),
        ("rrdbnet_x2", "refuse num_grow_ch=4"),
        ("rrdbnet_x3", "take this RRDBNet x3 for x2"),
    ],
)
def test_nets_that_other_programs_take_for_another(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str], net: str, words: str | None
) -> None:
    export(write(net), "pth", tmp_path / "out.pth")
    warnings = capsys.readouterr().err.splitlines()
    if words is None:
        assert warnings == []
    else:
        (warning,) = warnings
        assert warning.startswith(
            "warning: programs that recognise a net by its weights (spandrel, chaiNNer) "
        )
        assert re.search(words, warning)
