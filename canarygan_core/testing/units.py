"""Whether a help text says what its number counts or measures."""

import re

WORDS = """
hz khz s ms second seconds db sample samples clip clips sound sounds byte bytes point points bin bins band
bands frame frames epoch epochs update updates step steps batch batches class classes channel channels layer
layers coordinate coordinates component components dimension dimensions neighbour neighbours neighbor
neighbors unit units node nodes tree trees thread threads device devices pass passes percent share shares
fraction fractions factor factors ratio ratios weight weights rate rates decay seed number numbers times
radius probability posterior posteriors count odds logit logits nat nats bit bits octave octaves semitone
semitones cent cents degree degrees width widths draw draws split splits deviation deviations spread order
length rank
"""
"""Units, and words for numbers that have none."""

KNOWN = re.compile(rf"\b({'|'.join(WORDS.split())})\b|how many|0 to 1", re.IGNORECASE)


def tells_unit(text: str) -> bool:
    """Whether a help text names a unit, or ends with at most three words after a comma."""
    rest, _, end = text.strip().rstrip(".").rpartition(",")
    return bool(KNOWN.search(text)) or (bool(rest) and 0 < len(end.split()) <= 3)
