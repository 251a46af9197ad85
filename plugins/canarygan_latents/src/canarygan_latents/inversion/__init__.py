"""The latents of sounds that are there already: what is compared, how it is searched, and what is told of it."""
