"""Ways in which files hold rows: one module each, with `recognize` and `read`."""
