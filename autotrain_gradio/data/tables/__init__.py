"""Readers of table files: delimited text, JSON, Excel, Parquet and Arrow."""
