"""Media cells: decoding, validation and caching of images and audio."""
