"""What the networks see of the clips: how many samples of each, and which clips at which update. No network here."""
