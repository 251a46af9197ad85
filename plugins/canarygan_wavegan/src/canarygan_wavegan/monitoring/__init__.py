"""What watches a training: its health, previews of its sounds, and the monitor that calls both. Nothing here trains."""
