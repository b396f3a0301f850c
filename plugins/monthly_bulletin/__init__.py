"""Report each month, by township and by school, what was inspected, found, closed and overdue."""
