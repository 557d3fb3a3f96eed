"""Files below the data's folder: listing, archives, encodings, Arrow files."""
