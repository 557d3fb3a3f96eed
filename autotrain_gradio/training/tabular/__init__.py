"""Models of tables: make_transformer, families of estimators, the search for the best one, saving. Needs no torch."""
