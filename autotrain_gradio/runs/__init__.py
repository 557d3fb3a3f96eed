"""Runs: one directory each, written by the app and its worker; any process can read it."""
