"""What has been trained, read back from disk: generators, decoders, projectors. Nothing here trains."""
