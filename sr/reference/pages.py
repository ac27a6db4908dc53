"""The reference of every configuration key as Markdown, one page for each group and one for the root."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, get_type_hints

from sr.cli.argument_types import choices_of
from sr.ops.text_table import markdown
from sr.reference.arguments import REQUIRED, arguments_of, root_meanings, summary_of, takes_anything
from sr.reference.options import Option

HYDRA_KEYS = (
    "`_target_` is the import path of the class. `_partial_: true` leaves the first arguments to the program, and"
    " `_convert_: all` hands over plain lists and dicts."
)


def pages(groups: Mapping[str, Sequence[Option]], roots: Mapping[str, type]) -> dict[str, str]:
    """File name -> Markdown: `index.md` with the keys of the root, and a page for each group.

    Args:
        groups: group -> its options.
        roots: name of a configuration -> the dataclass of its root keys.
    """
    meanings = {name: text for root in roots.values() for name, text in root_meanings(root).items()}
    found = {"index.md": _index(groups, roots)}
    for group, options in groups.items():
        key = next((name for name in (group, f"{group}_g") if name in meanings), None)
        found[page_of(group)] = _group(group, options, meaning=meanings[key] if key else "")
    return found


def page_of(group: str) -> str:
    """The name of the page of a group."""
    return f"{group.replace('/', '.')}.md"


def _index(groups: Mapping[str, Sequence[Option]], roots: Mapping[str, type]) -> str:
    lines = [
        "# Configuration keys",
        "",
        "A key is written `group.key=value` on the command line, and in YAML as a nested mapping. Every key below a"
        " group is an argument of the class that the chosen option names, so `+group.key=value` adds those that the"
        " option does not write out. The programs refuse what they do not know.",
        "",
        "## Groups",
        "",
        *markdown(
            [("group", "options"), *((_link(group), _names(options)) for group, options in groups.items())]
        ),
    ]
    for name, root in roots.items():
        hints, meanings = get_type_hints(root), root_meanings(root)
        lines += ["", f"## Root keys of {name}.yaml", ""]
        rows = []
        for entry in fields(root):
            group = entry.name.removesuffix("_g").removesuffix("_d")
            values = "a group" if group in groups else _values(hints[entry.name])
            shown = f"[`{entry.name}`]({page_of(group)})" if group in groups else f"`{entry.name}`"
            rows.append((shown, meanings.get(entry.name, ""), values))
        lines += markdown([("key", "meaning", "values"), *rows])
    return "\n".join(lines) + "\n"


def _group(group: str, options: Sequence[Option], *, meaning: str) -> str:
    lines = [f"# {group}", "", *([f"{meaning[0].upper()}{meaning[1:]}", ""] if meaning else [])]
    named = ((f"[`{each.name}`](#{each.name})", each.comment) for each in options)
    lines += markdown([("option", "what it is"), *named])
    for option in options:
        lines += ["", f"## {option.name}", "", "```yaml", option.text.strip(), "```"]
    targets = list(dict.fromkeys(target for option in options for target in option.targets))
    if targets:
        lines += ["", "## Arguments", "", HYDRA_KEYS]
    for target in targets:
        lines += ["", f"### {target}", "", summary_of(target), "", *_arguments(target)]
    return "\n".join(lines) + "\n"


def _arguments(target: str) -> Iterable[str]:
    rows = [
        (f"`{each.name}`", each.meaning, each.values, _default(each.default))
        for each in arguments_of(target).values()
    ]
    if takes_anything(target):
        rows.append(("others", "further keys are handed on", "anything", ""))
    return (
        markdown([("argument", "meaning", "values", "default"), *rows]) if rows else ["It has no arguments."]
    )


def _values(hint: Any) -> str:
    return "anything" if hint is Any else " or ".join(dict.fromkeys(choices_of(hint)))


def _default(value: Any) -> str:
    """A default as YAML has it."""
    if value is REQUIRED:
        return "required"
    if value is None or isinstance(value, bool):
        return f"`{'null' if value is None else str(value).lower()}`"
    if isinstance(value, str | int | float):
        return f"`{value!r}`"
    if isinstance(value, list | tuple) and all(isinstance(each, str | int | float) for each in value):
        return f"`{list(value)}`"
    return "its own"


def _link(group: str) -> str:
    return f"[`{group}`]({page_of(group)})"


def _names(options: Sequence[Option]) -> str:
    return ", ".join(f"`{option.name}`" for option in options)
