"""What every layer shares: errors, settings, the run specification, panels. Imports nothing heavy."""
