"""Climb with what stays undone: inspector to task group, school to bureau, township to county."""
