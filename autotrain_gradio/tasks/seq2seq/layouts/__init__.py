"""Layouts: tables with translations, parallel text files, translation memories."""
