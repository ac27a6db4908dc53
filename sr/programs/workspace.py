"""Our layout of panels -> a saved view of a W&B project, or a file."""

import argparse

from sr.loggers.workspace.layout import workspace
from sr.loggers.workspace.private_workspaces import as_json
from sr.ops.wandb_account import logged_in


def run(options: argparse.Namespace) -> None:
    """Write the view, or save it on the server and print its address.

    Raises:
        RuntimeError: the library of views is missing, or nobody is logged in.
    """
    entity, _, project = options.project.partition("/")
    try:
        view = workspace(entity=entity, project=project, monitor=options.monitor, name=options.name)
    except ModuleNotFoundError as error:
        raise RuntimeError(f"{error}: pip install 'sr-lightning[workspace]' (with the quotes)") from error
    if options.json:
        options.json.write_text(f"{as_json(view)}\n", encoding="utf-8")
    elif logged_in():
        print(view.save().url)
    else:
        raise RuntimeError("a view is kept on the server of W&B, which needs an account: wandb login")
