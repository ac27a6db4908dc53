"""The options of the shipped configuration, read once per process."""

from functools import cache

from helpers import ROOT

from sr.config import register_schemas
from sr.reference.options import Option, read_options
from sr.run.directory import register_resolvers


@cache
def shipped_options() -> dict[str, list[Option]]:
    register_schemas()
    register_resolvers()
    return read_options([ROOT / "conf"])
