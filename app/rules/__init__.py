"""Judge the records by rules: one select each, whose rows become violations."""
