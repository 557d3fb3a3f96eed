"""Locations that data comes from: one module each, with `fetch(request, draft, progress)`."""
