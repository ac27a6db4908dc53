"""What a content loss can ask for besides its two images."""

WISHES = ("iteration", "average")


def wishes_of(loss: object) -> frozenset[str]:
    """The names in the attribute `wants` of a loss, each of which it is then handed by keyword; none without one.

    Raises:
        ValueError: a name is none of `WISHES`.
    """
    wants = frozenset(getattr(loss, "wants", ()))
    if unknown := sorted(wants.difference(WISHES)):
        raise ValueError(
            f"{type(loss).__name__}.wants names {', '.join(unknown)}; choose from {', '.join(WISHES)}"
        )
    return wants
