"""The command line: arguments, commands, console output, generated docs."""
