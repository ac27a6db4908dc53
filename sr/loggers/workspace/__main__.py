"""Make our layout of panels a saved view of a W&B project: `python -m sr.loggers.workspace ENTITY/PROJECT`."""

import argparse
import sys
from pathlib import Path

from sr.loggers.workspace.layout import workspace
from sr.loggers.workspace.private_workspaces import as_json
from sr.ops.wandb_account import logged_in


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m sr.loggers.workspace", description=__doc__)
    parser.add_argument(
        "project", metavar="ENTITY/PROJECT", help="the project, as in the address of its page"
    )
    parser.add_argument("--monitor", default="psnr_y", help="the metric of best.ckpt (default: psnr_y)")
    parser.add_argument("--name", default="super-resolution", help="the name of the view")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the view to a file and send nothing")
    given = parser.parse_args(arguments)
    entity, _, project = given.project.partition("/")
    if not entity or not project or "/" in project:
        parser.error(f"{given.project}: write ENTITY/PROJECT")
    try:
        view = workspace(entity=entity, project=project, monitor=given.monitor, name=given.name)
    except ModuleNotFoundError as error:
        sys.exit(f"error: {error}: pip install 'sr-lightning[workspace]' (with the quotes)")
    if given.json:
        given.json.write_text(f"{as_json(view)}\n")
    elif logged_in():
        print(view.save().url)
    else:
        sys.exit("error: a view is kept on the server of W&B, which needs an account: wandb login")


if __name__ == "__main__":
    main()
