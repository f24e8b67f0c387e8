"""What the commands do, one function a command and by its name; ``figment.launch`` does the training."""
