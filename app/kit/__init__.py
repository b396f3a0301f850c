"""The one package that plugins import."""
