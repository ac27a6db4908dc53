"""What is said where the weights of a loss's net are missing; apart from the losses, so that no torch is needed."""


def key(term: str) -> str:
    """The key that takes the path to the weights of a term, as it is named in conf/loss."""
    return f"loss.{term}.loss.weights"


def band_key(term: str) -> str:
    """The key that chooses the bands which the net of a term sees."""
    return f"loss.{term}.loss.bands"


def otherwise(term: str) -> str:
    """What can be done without them."""
    if term == "perceptual":
        return (
            ", or train without this loss, L1 and the GAN in the balance that docs/results.md found good:"
            " '~loss.perceptual' loss.l1.weight=1 model.gan_weight=1e-3 (without the last where model=psnr)"
        )
    return f", or train without this loss: '~loss.{term}'"
