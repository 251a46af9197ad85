"""What plugins that train with Lightning share, resuming among it. Nothing here knows a network."""
