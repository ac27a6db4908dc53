"""A finished run -> a net in the package: weights in fp16, measured, with a card in the file and one to read."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from sr.cli.choices import find_choice
from sr.cli.shipped import shipped_configuration
from sr.config import register_schemas
from sr.evaluation.result import Evaluation, SetResult
from sr.export.card import make_card
from sr.export.half import rounded
from sr.export.state_dict import Safetensors
from sr.ops.text_table import markdown
from sr.ops.whole_file import replacing
from sr.programs.evaluate import evaluate
from sr.programs.export import export
from sr.reference.options import Option
from sr.run.checkpoint_names import FOLDER, LAST, checkpoint_name
from sr.run.directory import register_resolvers
from sr.run.resume import changes
from sr.weights.generator import TrainedGenerator, load_generator
from sr.zoo.card import BASELINE, numbers, page
from sr.zoo.shipped import SUFFIX

GROUP = "zoo"  # of conf/experiment
LICENSE = "MIT"
PHOTOGRAPHS = "scikit-image"  # the name of the photographs inside it in the card
DTYPE = "fp16"
PROTOCOL = "esrgan_paper"  # PSNR and SSIM on luma without a border, as in published tables


def run(options: argparse.Namespace) -> None:
    """Write NAME.safetensors and NAME.md; the same run gives the same bytes.

    Raises:
        FileNotFoundError: the run has no checkpoint.
        ValueError: there is no recipe for the name; the run is not finished, or did not begin as the recipe does.
    """
    option = recipe_of(options.name)
    recipe = f"{option.group}/{option.name}"
    trained = load_generator(options.run_dir / FOLDER / checkpoint_name(LAST, 0))
    changed = compared(trained, recipe)
    half = rounded(trained, DTYPE)
    card = make_card(half, sources=[half.checkpoint], alpha=None, license=LICENSE)
    card.pop("metrics", None)  # those of its last validation; `measured` has a stated protocol
    card |= {"name": options.name, "description": option.comment, "recipe": recipe}
    card |= {"changed": json.dumps(changed)} if changed else {}
    measured = measure(half, card, sets=dict(options.sets), draws=options.draws)
    card["measured"] = json.dumps(measured)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / f"{options.name}{SUFFIX}"
    export(half, card, file_format=Safetensors(), dtype=DTYPE, out=file)
    with replacing(file.with_suffix(".md")) as text:
        text.write(page(card).encode())
    report(file, card, changed)


def report(file: Path, card: Mapping[str, str], changed: list[str]) -> None:
    for change in changed:
        print(f"warning: the run is not as the recipe says: {change}")
    revision = card.get("git_revision", "unknown")
    if revision == "unknown" or revision.endswith("-dirty"):
        print(f"warning: the code of the run is no commit (its revision is {revision})")
    print(f"{file}: {file.stat().st_size / 1000:.0f} KB; the card to read is {file.with_suffix('.md').name}")
    print("\n".join(markdown([("net", "images", "PSNR / SSIM", BASELINE), *numbers(card)])))


def recipe_of(name: str) -> Option:
    """The recipe that makes the net of that name. Raises ValueError where there is none."""
    files = (shipped_configuration() / "experiment" / GROUP).glob("*.yaml")
    recipes = {file.stem.replace("_", "-"): file for file in sorted(files)}
    if name not in recipes:
        raise ValueError(f"--name={name}: conf/experiment/{GROUP} has recipes for {', '.join(recipes)}")
    file = recipes[name]
    return Option(group=GROUP, name=file.stem, text=file.read_text(encoding="utf-8"), settings={})


def compared(trained: TrainedGenerator, recipe: str) -> list[str]:
    """The values of the run that are not those of its recipe, as `key: recipe -> run`.

    Raises:
        ValueError: it is no run, is not finished, or started from other weights than the recipe does.
    """
    path, config = trained.checkpoint.path, trained.checkpoint.config
    if config is None:
        raise ValueError(f"{path} is no checkpoint of a run")
    iteration, length = trained.checkpoint.provenance.get("iteration"), config["trainer"]["max_steps"]
    if iteration != length:
        raise ValueError(f"{path}: {iteration} of {length} iterations are done: resume=auto goes on")
    cfg = composed("train", f"experiment={recipe}", "run_dir=/nowhere")
    if config.get("init_from") != cfg.init_from:
        raise ValueError(
            f"{path}: the run started from init_from={config.get('init_from')}, the recipe from {cfg.init_from}"
        )
    resolved: Any = OmegaConf.to_container(cfg, resolve=True)
    written: Any = OmegaConf.to_container(cfg, resolve=False)
    found = changes(resolved, config, written=written)
    # A card goes to others, whom the folders of this machine tell nothing.
    return [f"{key}: another directory" if key.endswith("_dir") else line for key, line in found.items()]


def measure(
    trained: TrainedGenerator, card: dict[str, str], *, sets: Mapping[str, str], draws: int
) -> dict[str, Any]:
    """PSNR and SSIM beside bicubic, with LR as in the validation of the run, rounded as tables print them.

    Args:
        trained: the net.
        card: its card so far, for the file that is measured.
        sets: name -> directory of HR images, beside the photographs inside scikit-image.
        draws: the number of times that a random degradation is drawn for each image.
    """
    config: Any = trained.checkpoint.config
    degradation = config["data"].get("val_degradation") or config["degradation"]
    results: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"net{SUFFIX}"
        export(trained, card, file_format=Safetensors(), dtype=DTYPE, out=file)
        given = (f"ckpt={file}", f"out_dir={folder}/out", f"protocol={PROTOCOL}", f"draws={draws}")
        evaluation = evaluated(*given, degradation=degradation, sets=None)
        (own,) = evaluation.sets.values()
        results[PHOTOGRAPHS] = means(evaluation, own)
        if sets:
            further = evaluated(*given, degradation=degradation, sets=sets)
            results |= {name: means(further, found) for name, found in further.sets.items()}
    lr = evaluation.protocol.lr.sentence(scale=trained.scale)
    return {"protocol": PROTOCOL, "lr": lr, "sets": results}


def evaluated(*overrides: str, degradation: Mapping[str, Any], sets: Mapping[str, str] | None) -> Evaluation:
    """What evaluate.py finds on the CPU, without a report."""
    given = (*overrides, "device=cpu", "report_images=0")
    cfg = composed("evaluate", *given)
    cfg.degradation, cfg.hr_dirs = degradation, sets
    register_schemas()
    with initialize_config_dir(str(shipped_configuration()), version_base="1.3"):
        hydra = compose("evaluate", [*given], return_hydra_config=True).hydra
        protocol = find_choice("protocol", hydra)
    return evaluate(cfg, protocol)


def means(evaluation: Evaluation, found: SetResult) -> dict[str, Any]:
    """The means of one set, rounded as tables print them, so that no order of additions shows."""
    net = next(name for name in evaluation.models if name != BASELINE)
    values = {
        role: {
            metric: float(quantity.text(found.means[name][metric].value))
            for metric, quantity in evaluation.quantities.items()
        }
        for role, name in (("net", net), (BASELINE, BASELINE))
    }
    return {"images": found.originals, **values}


def composed(program: str, *overrides: str) -> DictConfig:
    """The shipped configuration of a program."""
    register_schemas()
    register_resolvers()
    with initialize_config_dir(str(shipped_configuration()), version_base="1.3"):
        return compose(program, [*overrides])
