"""Judging: scores of a run, a folder or a zip against real pictures, with floors and intervals."""
