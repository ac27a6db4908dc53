"""What is typed wrong is named, and what is shown instead works when it is pasted into a shell."""

import os
import random
import re
import subprocess
from pathlib import Path

import pytest
from helpers import ROOT, compose_config
from hydra.core.override_parser.overrides_parser import OverridesParser

from sr.cli.command_line import ELSEWHERE, check_command_line, quoted, typed

HOME = os.path.expanduser("~")
GENERATORS = ", ".join(sorted(path.stem for path in (ROOT / "conf" / "generator").glob("[!_]*.yaml")))


def through_the_shell(*words: str) -> list[str]:
    """What a program gets that is called with these words."""
    done = subprocess.run(
        ["sh", "-c", f"printf '%s\\0' {' '.join(words)}"], capture_output=True, text=True, check=True
    )
    return done.stdout.split("\0")[:-1]


def value_of(override: str) -> object:
    return OverridesParser.create().parse_override(override).value()


def refusal(*arguments: str) -> str:
    with pytest.raises(ValueError) as caught:
        check_command_line(arguments)
    return str(caught.value)


UNREADABLE = {
    "data.train_dir=/photos [x]=1": "spaces, brackets and =",
    "init_from=a/epoch=3.ckpt": "=",
    "data.train_dir=/a{b": "a brace",
    "data.train_dir=/a(1)": "parentheses",
    "data.train_dir=/it's": "a single quote",
    'data.train_dir=/a "b" c': "double quotes",
    "data.train_dir=/bücher/写真": "letters outside ASCII",
    "data.train_dir=/a#b": "a comment of the shell",
    "data.train_dir=/a;b&c|d<e>f`g`": "signs of the shell",
    "ckpt=[x] y.ckpt": "no list",
    "data.train_dir=/a~b": "~",
    "data.train_dir=/a $b (c)": "$",
    "data.train_dir=C:\\new dir=1\\": "backslashes",
}


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_value_that_hydra_cannot_read_is_shown_with_quotes_that_work(text: str) -> None:
    message = refusal("seed=1", text)
    assert message.startswith(f"{text}: Hydra cannot read this value; write {quoted(text)}")
    assert message.endswith("(the outer quotes are for the shell, the inner ones for Hydra)")
    (override,) = through_the_shell(quoted(text))
    check_command_line([override])
    assert value_of(override) == text.partition("=")[2]


def test_any_text_survives_the_shell_and_hydra() -> None:
    letters = random.Random(0)
    texts = ["".join(letters.choices(" =[]{}(),:'\"\\$~`#&;*?!ab1.é/", k=8)) for _ in range(300)]
    overrides = through_the_shell(*(quoted(f"hr_dir={text}") for text in texts))
    assert [value_of(override) for override in overrides] == texts


def test_a_value_that_hydra_reads_is_shown_as_it_is() -> None:
    assert typed("ckpt=runs/a-b/x.ckpt") == "ckpt=runs/a-b/x.ckpt"
    assert typed("ckpt=a b") == "'ckpt=a b'"
    assert typed("ckpt=a=b") == "'ckpt=\"a=b\"'"


def test_the_home_directory_is_written_out() -> None:
    assert refusal("data.train_dir=~/photos").endswith(f"write data.train_dir={HOME}/photos")
    assert refusal("hr_dirs={set: ~/photos}").endswith(f"write 'hr_dirs={{set: {HOME}/photos}}'")


@pytest.mark.parametrize(
    ("text", "shown", "value"),
    [
        (
            "ckpts={psnr: a/epoch=3.ckpt, gan: b.ckpt}",
            "'ckpts={psnr: \"a/epoch=3.ckpt\", gan: b.ckpt}'",
            {"psnr": "a/epoch=3.ckpt", "gan": "b.ckpt"},
        ),
        ("x=[1, a=b]", "'x=[1, \"a=b\"]'", [1, "a=b"]),
    ],
)
def test_in_a_list_or_dict_the_value_is_quoted_and_not_the_whole(
    text: str, shown: str, value: object
) -> None:
    assert f"write {shown} " in refusal(text)
    (override,) = through_the_shell(shown)
    assert value_of(override) == value


def test_a_comma_is_a_sweep_or_has_quotes() -> None:
    message = refusal("data.train_dir=/a,b")
    assert message.startswith("data.train_dir=/a,b is a sweep: start it with -m")
    (override,) = through_the_shell(quoted("data.train_dir=/a,b"))
    assert value_of(override) == "/a,b"
    for allowed in (["-m", "seed=1,2"], ["seed=1,2", "hydra.mode=MULTIRUN"], ["--multirun", "seed=range(3)"]):
        check_command_line(allowed)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a=1", "-m", "b=1,2"], "options come before keys: write -m a=1 b=1,2"),
        (["a=1", "--cfg", "job", "b=x y"], "options come before keys: write --cfg job a=1 'b=x y'"),
        (["--seed", "3"], "--seed: there is no such option. Keys have no dashes: seed=3 "),
        (["--hr-dir=a b"], "--hr-dir=a b: there is no such option. Keys have no dashes: 'hr_dir=a b' "),
        (["a=1", "--ckpt"], "--ckpt: there is no such option. Keys have no dashes: ckpt=VALUE "),
        (["model.ckpt"], "'model.ckpt' is no KEY=VALUE, which is written without spaces"),
        (["seed", "=", "3"], "'seed' is no KEY=VALUE, which is written without spaces"),
        (["data dir=3"], "data dir=3: 'data dir' is no key"),
        (
            ["degradation=null"],
            "degradation=null: choose from aliased, bicubic, bsrgan, mild, realesrgan, realesrgan_mild",
        ),
        (["-m", "hparams_search=otpuna"], "hparams_search=otpuna: choose from optuna;"),
        (
            ["gan_penalty=null"],
            "gan_penalty=null: nothing is chosen by default; '~gan_penalty' leaves out what",
        ),
        (["gan_penalty=r3"], "gan_penalty=r3: choose from r1, r1_r2, r2;"),
        (["debug=everything"], "debug=everything: choose from batch, overfit, profiler;"),
        (
            ["generator=3"],
            f"generator=3: choose from {GENERATORS};",
        ),
    ],
)
def test_what_is_no_key_and_value_says_what_to_type(arguments: list[str], message: str) -> None:
    assert refusal(*arguments).startswith(message)


@pytest.mark.parametrize("sign", ["", "+", "++"])
@pytest.mark.parametrize("key", ELSEWHERE)
def test_what_lightning_and_hydra_call_otherwise(key: str, sign: str) -> None:
    assert refusal(f"{sign}{key}=2").startswith(f"{key}: ")


@pytest.mark.parametrize("key", ["ema_decay", "warmup_iterations", "gradient_clip", "accumulate"])
def test_what_belongs_to_an_update_is_found_under_its_old_key(key: str) -> None:
    assert refusal(f"model.{key}=2") == f"model.{key}: write model.optimization.{key}=2"


def test_what_is_to_be_written_instead_is_there() -> None:
    group = {
        "perceptual": "niqe",
        "degradation": "mild",
        "optimizer": "adamw",
        "scheduler": "cosine",
        "mixing": "cutmix",
    }
    shown = {}
    for key, text in ELSEWHERE.items():
        value = next((choice for name, choice in group.items() if name in key), "2")
        for override in re.findall(
            r"(?:write|-m|or) ([+a-z_@.]+=[^ ,;:]+)", text.format(value=value, train="sr-train")
        ):
            if "NAME" not in override:
                shown[override.partition("=")[0]] = override.replace("NORM", "1")
    assert len(shown) > 10
    compose_config(*shown.values())


def test_what_is_right_passes(tmp_path: Path) -> None:
    check_command_line([])
    check_command_line(["--help"])
    check_command_line(["--cfg", "job", "--resolve", "experiment=esrgan"])
    check_command_line(["-m", "hparams_search=optuna", "optimizer_g.lr=tag(log,interval(1e-4,1e-2))"])
    check_command_line(["-m", "--config-dir", "mine", "hparams_search=mine"])
    check_command_line(["~loss.perceptual", "loss.l1.weight=1", "+trainer.profiler=simple", "data.val_dir="])
    check_command_line(
        ["hydra/launcher=slurm", 'hydra.run.dir="/a b=c"', "+degradation@data.val_degradation=mild"]
    )


def test_a_node_may_stand_in_the_place_of_a_group() -> None:
    check_command_line(["data.degradation=null", "data.val_degradation={_target_: x}"])
    assert refusal("data.val_degradation=mild").endswith("write +degradation@data.val_degradation=mild")
    assert refusal("data.degradation=mild").endswith("write degradation=mild")
