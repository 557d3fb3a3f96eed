"""Parsing of cell values: numbers, dates, durations, units, labels."""
