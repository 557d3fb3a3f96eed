"""Shared by every layer: errors, settings, the run specification, panels, inputs. Imports no heavy library."""
