"""What plugins that train with Lightning share. Nothing here knows a network."""
