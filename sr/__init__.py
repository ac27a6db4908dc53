"""GAN image super-resolution on PyTorch Lightning: see docs/architecture.md for what lives where."""
