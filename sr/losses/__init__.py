"""Training objectives: content losses `(sr, hr) -> scalar` and GAN objectives on a discriminator's logits."""
