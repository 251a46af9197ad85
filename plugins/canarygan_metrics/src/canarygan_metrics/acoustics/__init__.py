"""The metric `acoustics`: measures of single sounds, and how far two sets of them differ. It uses no classifier."""
