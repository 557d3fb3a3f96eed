"""Data sources: one module each, with `fetch(request, draft, progress)`."""
