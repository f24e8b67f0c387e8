"""How the players alternate: one way a file, each playing one round."""
