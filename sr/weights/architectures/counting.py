"""What all architectures read off the names of tensors."""

import re
from collections.abc import Iterable


def count(names: Iterable[str], pattern: str) -> int:
    """How many numbers there are up to the highest one that a group in the pattern matches, beginning with 0.

    Args:
        names: the names of tensors.
        pattern: a regular expression for the beginning of a name, with one group for the number, such as
            `body\\.(\\d+)\\.`.
    """
    matches = (re.match(pattern, name) for name in names)
    return 1 + max((int(match[1]) for match in matches if match), default=-1)
