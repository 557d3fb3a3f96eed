"""Models of tables: preparation, families of estimators, the search for the best one, saving. Needs no torch."""
