"""The names of the formats of annotations, as crowsetta has them, apart from what reads and writes them."""

READ = (
    *("aud-bbox", "aud-seq", "birdsong-recognition-dataset", "generic-seq", "notmat"),
    *("raven", "simple-seq", "textgrid", "timit", "yarden"),
)
"""Those that are read."""

WRITTEN = ("generic-seq", "aud-seq", "aud-bbox", "notmat", "raven", "simple-seq", "textgrid", "timit")
"""Those that are written; a TextGrid is written here, the others by crowsetta."""
