"""The stages of a check: detect the layout, map columns, inspect, split, materialize."""
