"""Tell people what is due: things to do, ladders of escalation, reminders, the daily e-mail."""
