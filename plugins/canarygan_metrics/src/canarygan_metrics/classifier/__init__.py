"""The classifier of syllables: its network, its input, its training, and its use. No score is computed here."""
