"""The atlas: a model's latent space as one HTML page. `content` gathers what it shows, `page` makes it one text."""
