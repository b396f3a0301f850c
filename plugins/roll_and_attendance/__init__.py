"""学籍与考勤: the ledgers of children, opened from attendance and statuses."""
