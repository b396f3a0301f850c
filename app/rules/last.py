"""Tell which rules failed when they were last run."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import RuleRun


def failures(session: Session) -> dict[str, str]:
    """Return the error of each rule whose newest run failed, by the rule's key."""
    newest = select(func.max(RuleRun.id)).group_by(RuleRun.rule_key)
    rows = session.execute(
        select(RuleRun.rule_key, RuleRun.error).where(
            RuleRun.id.in_(newest), RuleRun.error.is_not(None)
        )
    )
    return {key: error for key, error in rows if error}
