"""Show on a child's page in which ledgers it is, and what is due next."""

from __future__ import annotations

from sqlalchemy import select

from app.kit import Child, Due, LedgerEntry, PanelContent, PanelRow, Session, _, ledger_words


def content(session: Session, child: Child) -> PanelContent | None:
    """Return the entries of a child, the newest first; nothing where there is none."""
    query = (
        select(LedgerEntry)
        .where(LedgerEntry.child_id == child.id)
        .order_by(LedgerEntry.closed_on.is_not(None), LedgerEntry.opened_on.desc())
    )
    entries = session.scalars(query).all()
    if not entries:
        return None
    return PanelContent(
        heads=[
            _("Ledger"), _("Entered on"), _("Opened because of"), _("Next action"), _("Closed on"),
        ],
        rows=[_row(entry) for entry in entries],
        due=[
            Due(entry.next_on, entry.next_action or _("Next action"), _url(entry))
            for entry in entries
            if entry.closed_on is None and entry.next_on is not None
        ],
    )  # fmt: skip


def _row(entry: LedgerEntry) -> PanelRow:
    title, basis = ledger_words(entry)
    cells = (title, entry.opened_on, basis, entry.next_action, entry.closed_on)
    return PanelRow(cells, _url(entry))


def _url(entry: LedgerEntry) -> str:
    return f"/ledger/show/{entry.id}"
