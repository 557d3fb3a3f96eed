"""Tools (`tasks.tools.TOOLS`), one module each: `run(call)`."""
