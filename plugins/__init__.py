"""Hold the plugins, one folder each: what a policy says, and never the core."""
