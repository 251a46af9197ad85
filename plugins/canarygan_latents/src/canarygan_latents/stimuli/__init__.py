"""Sounds to play to animals and listeners: which latents they are made from, how they are played, what is answered."""
