"""Generate lists, forms and lookups from models: Flask-AppBuilder's CRUD with all mends."""
