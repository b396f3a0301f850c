"""Dated values: what a policy asks from which day on, and where it says so."""
