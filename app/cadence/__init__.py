"""Tell which days count: the calendar of the county and of its schools."""
