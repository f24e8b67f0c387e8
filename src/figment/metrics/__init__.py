"""Measures of samples: pure functions of pictures and of features, one idea a file."""
