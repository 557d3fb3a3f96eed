"""What cells can be: one module each, with `inspect`, `profile` and `gallery`."""
