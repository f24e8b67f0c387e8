"""One function a command, whose signature is its interface. No logic."""
