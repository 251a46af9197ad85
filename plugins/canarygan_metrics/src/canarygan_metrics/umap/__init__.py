"""The projector `umap` and the task `umap`: a map of sounds, the clusters on it, and figures. Nothing is scored."""
