"""The command line of a Hydra program, read before Hydra reads it, so that every mistake in it says what to type."""

import os
import re
import shlex
from collections.abc import Sequence
from types import NoneType

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString
from hydra.errors import HydraException

from sr.cli.private_hydra import command_line_parser
from sr.cli.shipped import shipped_configuration
from sr.ops.program_names import to_type

CONF = shipped_configuration()
OPTIONAL = ("hparams_search", "debug", "gan_penalty")  # groups of which conf/train.yaml chooses nothing
# What a user of Lightning or Hydra may type -> what to write here; {value} is what was given, {train} the program.
ELSEWHERE = {
    "data.degradation": "write degradation={value}",
    "data.val_degradation": "write +degradation@data.val_degradation={value}",
    "data.mixing": "write mixing={value}",
    "perceptual": "write measure={value}",
    "optimizer_g": "write optimizer@optimizer_g={value}",
    "optimizer_d": "write optimizer@optimizer_d={value}",
    "scheduler_g": "write scheduler@scheduler_g={value}",
    "scheduler_d": "write scheduler@scheduler_d={value}",
    "trainer.accumulate_grad_batches": "write model.optimization.accumulate={value}, which computes every batch in that"
    " many parts; for a larger batch raise data.batch_size too",
    "trainer.gradient_clip_val": "write model.optimization.gradient_clip={value}",
    "trainer.gradient_clip_algorithm": "gradients are clipped by their norm: write"
    " model.optimization.gradient_clip=NORM",
    "model.ema_decay": "write model.optimization.ema_decay={value}",
    "model.warmup_iterations": "write model.optimization.warmup_iterations={value}",
    "model.gradient_clip": "write model.optimization.gradient_clip={value}",
    "model.accumulate": "write model.optimization.accumulate={value}",
    "trainer.auto_lr_find": "there is no learning-rate finder; compare a few rates in a sweep:"
    " {train} -m optimizer_g.lr=1e-4,2e-4,4e-4",
    "trainer.auto_scale_batch_size": "there is no batch-size finder; try a few sizes in a sweep:"
    " {train} -m data.batch_size=4,8,16 trainer.max_steps=100",
    "trainer.resume_from_checkpoint": "write resume={value}",
    "trainer.fast_dev_run": "write debug=batch, which runs everything once",
    "trainer.overfit_batches": "write debug=overfit, which trains on one batch again and again",
    "trainer.gpus": "write trainer.devices={value}",
    "trainer.logger": "write logger=csv, logger=tensorboard or logger=wandb",
    "trainer.callbacks": "write +callbacks.NAME._target_=CLASS",
    "trainer.plugins": "the plugins are those that write whole checkpoints and compute in fp16",
}
LAYERS = " (the outer quotes are for the shell, the inner ones for Hydra)"


def check_command_line(arguments: Sequence[str]) -> None:
    """Refuse what Hydra cannot read.

    Args:
        arguments: the command-line arguments of the program, without its name.

    Raises:
        ValueError: names the argument and shows what to type instead.
    """
    options, others = command_line_parser().parse_known_args(arguments)
    for argument in (*others, *options.overrides):
        if argument.startswith("-"):
            _refuse_option(argument, arguments)
    if others:  # argparse takes one row of keys alone
        keys = [*options.overrides, *others]
        flags = [argument for argument in arguments if argument not in keys]
        raise ValueError(f"options come before keys: write {shlex.join([*flags, *keys])}")
    several = sweeps(arguments)
    for text in options.overrides:
        override = _parsed(text)
        key = str(override.key_or_group)
        if key in ELSEWHERE and override.package is None and not _is_node(override):
            raise ValueError(f"{key}: {_elsewhere(key, value=_value(text))}")
        _check_choice(override, text, elsewhere=options.config_dir is not None)
        if override.is_sweep_override() and not several:
            raise ValueError(
                f"{text} is a sweep: start it with -m, before the keys; or write one value that has this text in it as"
                f" {quoted(text)}{LAYERS}"
            )


def quoted(text: str) -> str:
    """`key=value` for a shell, quoted so that Hydra takes the value for text and not for a list, a number or a call."""
    key, _, value = text.partition("=")
    return shlex.quote(f"{key}={QuotedString(value, Quote.double).with_quotes()}")


def sweeps(arguments: Sequence[str]) -> bool:
    """Whether the command line asks for a sweep: `-m`, or a `hydra.mode`."""
    options, _ = command_line_parser().parse_known_args(arguments)
    return options.multirun or any(text.startswith("hydra.mode=") for text in options.overrides)


def typed(text: str) -> str:
    """`key=value` for a shell and Hydra, with the quotes that it needs and no others."""
    key, _, value = text.partition("=")
    text = f"{key}={_at_home(value)}"
    inside = text if _reads(text) else _quoted_inside(text)
    return shlex.quote(inside) if _reads(inside) else quoted(text)


def _refuse_option(argument: str, arguments: Sequence[str]) -> None:
    """Say how a key is written: most probably this is one, with the dashes that other programs want."""
    key, equals, value = argument.lstrip("-").partition("=")
    behind = arguments[arguments.index(argument) + 1 :]
    if not equals:
        value = behind[0] if behind and "=" not in behind[0] and behind[0][0:1] != "-" else "VALUE"
    text = f"{key.replace('-', '_')}={value}"
    raise ValueError(
        f"{argument}: there is no such option. Keys have no dashes: {typed(text)} (--help lists options and keys)"
    )


def _parsed(text: str) -> Override:
    if "=" not in text and not text.startswith("~"):
        raise ValueError(f"{text!r} is no KEY=VALUE, which is written without spaces (--help lists the keys)")
    try:
        return OverridesParser.create().parse_override(text)
    except HydraException as error:
        key = text.partition("=")[0]
        if not _reads(f"{key}=1"):
            raise ValueError(
                f"{text}: {key!r} is no key, which is letters, digits and _, with dots between them"
            ) from error
        layers = LAYERS if '"' in typed(text) else ""
        raise ValueError(f"{text}: Hydra cannot read this value; write {typed(text)}{layers}") from error


def _elsewhere(key: str, *, value: str) -> str:
    return ELSEWHERE[key].format(value=value, train=shlex.join(to_type("train")))


def _is_node(override: Override) -> bool:
    """Whether the value is a node or null, which may stand in the place of a group's node."""
    return not override.is_sweep_override() and isinstance(override.value(), dict | NoneType)


def _check_choice(override: Override, text: str, *, elsewhere: bool) -> None:
    """Hydra names neither group nor choices where the value is no word, and takes any word for an optional group.

    Args:
        elsewhere: whether another folder may hold more choices.
    """
    group = str(override.key_or_group)
    if override.is_delete() or override.is_sweep_override() or not (CONF / group).is_dir():
        return
    choices = sorted(file.stem for file in (CONF / group).glob("[!_]*.yaml"))
    if group in OPTIONAL and override.value() is None:
        raise ValueError(
            f"{text}: nothing is chosen by default; '~{group}' leaves out what an experiment has chosen"
        )
    unknown = group in OPTIONAL and override.value() not in choices and not elsewhere
    if unknown or not isinstance(override.value(), str | list | dict):  # a dict: see `sr.cli.nodes`
        raise ValueError(
            f"{text}: choose from {', '.join(choices)}; a key of the choice is written {group}.KEY=VALUE"
        )


def _quoted_inside(text: str) -> str:
    """Quote those values of a list or a dict that Hydra cannot read, instead of the whole."""
    key, _, value = text.partition("=")
    if not re.fullmatch(r"\[.*\]|\{.*\}", value):
        return text
    parts = [part.strip() for part in value[1:-1].split(",")]
    if value[0] == "{":
        named = [part.partition(":") for part in parts]
        parts = [f"{name}: {_quoted_alone(path.strip())}" for name, _, path in named]
    else:
        parts = [_quoted_alone(part) for part in parts]
    return f"{key}={value[0]}{', '.join(parts)}{value[-1]}"


def _quoted_alone(value: str) -> str:
    value = _at_home(value)
    return value if _reads(f"key={value}") else QuotedString(value, Quote.double).with_quotes()


def _at_home(value: str) -> str:
    """Expand a leading ~, which shells leave alone behind `key=`."""
    return os.path.expanduser(value) if value.startswith("~") else value


def _reads(text: str) -> bool:
    try:
        OverridesParser.create().parse_override(text)
    except HydraException:
        return False
    return True


def _value(text: str) -> str:
    return text.partition("=")[2]
