"""Training: the trainer that plays any recipe, and what surrounds it."""
