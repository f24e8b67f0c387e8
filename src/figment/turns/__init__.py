"""How the players alternate: one function a file, each playing one round."""
