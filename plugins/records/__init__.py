"""过程档案: monthly reports of schools, quarterly reviews, publicity, indicators of each month."""
