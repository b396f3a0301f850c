"""Name the ledgers 重点监测, 疑似辍学, 辍学."""

from __future__ import annotations

from typing import Final

MONITORED: Final = "roll_and_attendance.priority_monitoring"
SUSPECTED: Final = "roll_and_attendance.suspected"
DROPPED_OUT: Final = "roll_and_attendance.dropped_out"
