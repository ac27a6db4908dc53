"""What describes the project says the same everywhere."""

import re
import tomllib
from typing import Any

import yaml
from helpers import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def read_yaml(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def test_the_version_is_one() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest
    assert {PROJECT["version"], read_yaml("CITATION.cff")["version"], newest[1]} == {PROJECT["version"]}


def test_every_promised_python_is_tested() -> None:
    promised = [text.rsplit(" ", 1)[1] for text in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", text)]
    workflow = read_yaml(".github/workflows/ci.yml")["jobs"]["test"]
    assert workflow["strategy"]["matrix"]["python"] == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"
    assert workflow["steps"][-1]["run"] == ".ci/run"


def test_hooks_run_what_lint_runs() -> None:
    lint = (ROOT / "Makefile").read_text().split("\nlint:", 1)[1].split("\n\n", 1)[0]
    tools = set(re.findall(r"\$\(BIN\)/(\S+(?: check| format)?)", lint))
    hooks = {
        hook["entry"] for repo in read_yaml(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]
    }
    shown = {re.sub(r"^\.venv/bin/|( --\S+)+$", "", entry) for entry in hooks}
    assert shown == tools == {"ruff check", "ruff format", "mypy"}


def test_issue_forms_ask_for_versions_and_the_configuration() -> None:
    fields = {
        field["id"]: str(field["attributes"])
        for field in read_yaml(".github/ISSUE_TEMPLATE/fault.yml")["body"]
    }
    assert "sr-train --version" in fields["version"]
    assert "--cfg job --resolve" in fields["config"]
