"""Measurements on a machine with a GPU: the app against plain scripts, and checks of what only a GPU shows."""
