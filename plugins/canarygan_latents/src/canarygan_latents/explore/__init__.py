"""The latent space served on this machine alone: a page, and the generator behind it."""
