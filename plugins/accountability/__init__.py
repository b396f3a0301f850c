"""Accountability 责任追究: superior findings, cases with statement and appeal, interviews 约谈."""
