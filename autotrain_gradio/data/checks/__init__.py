"""What is looked for in a whole table: one module each, with `check(rows, request)`."""
