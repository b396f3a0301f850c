"""The special inspection of a semester 学期专项督导: its campaign of schools and its coverage."""
