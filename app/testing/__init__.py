"""Help the authors of plugins to test them."""
