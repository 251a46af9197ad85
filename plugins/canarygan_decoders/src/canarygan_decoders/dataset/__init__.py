"""What decoders learn from: labelled features, altered copies, garbage classes, their files. No decoder lives here."""
