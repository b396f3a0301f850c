"""Hold the environment in which Alembic runs the migrations of a plugin."""
