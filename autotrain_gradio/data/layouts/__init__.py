"""Ways in which files hold rows: one module each, with `recognise` and `read`."""
