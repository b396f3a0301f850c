"""Measure the product beside a floor: the same rows from a bare Flask and SQL by hand."""
