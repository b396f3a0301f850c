"""Read a policy document with its clauses, and keep the stored one in step; idempotent."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Clause, PolicyDocument
from app.parameters.definition import Strict, Text


class DocumentDefinition(Strict):
    """Describe the document itself; `text_file` names the file that holds its full wording."""

    key: Text
    title: Text
    issuer: Text
    number: str = ""
    issued_on: date
    valid_from: date
    valid_to: date | None = None
    text_file: str = ""


class ClauseDefinition(Strict):
    """Describe one clause in its official wording."""

    key: Text
    text: Text
    heading: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


class PolicyDefinition(Strict):
    """Hold a document and its clauses in printed order.

    A clause may stand there again with another day from which its new wording is in force.
    """

    document: DocumentDefinition
    clause: Annotated[tuple[ClauseDefinition, ...], Field(min_length=1)]


def sync_policy(
    session: Session,
    policy: PolicyDefinition,
    *,
    text: str | None = None,
    plugin: str | None = None,
) -> PolicyDocument:
    """Store the document and its clauses under their keys; the wording follows the definition."""
    described = policy.document
    document = session.scalar(select(PolicyDocument).filter_by(key=described.key))
    if document is None:
        document = PolicyDocument(key=described.key, plugin=plugin)
        session.add(document)
    document.title, document.issuer = described.title, described.issuer
    document.number = described.number or None
    document.issued_on = described.issued_on
    document.valid_from, document.valid_to = described.valid_from, described.valid_to
    document.text = text
    session.flush()
    _sync_clauses(session, document, policy)
    session.flush()
    return document


def _sync_clauses(session: Session, document: PolicyDocument, policy: PolicyDefinition) -> None:
    """Add and correct the wordings of clauses; one that is cited is never deleted.

    The wording of a later day stands beside the earlier one, which past records are judged by.
    """
    stored = {(row.key, row.valid_from): row for row in session.scalars(select(Clause))}
    for position, described in enumerate(policy.clause, start=1):
        since = described.valid_from or document.valid_from
        clause = stored.get((described.key, since))
        if clause is None:
            clause = Clause(key=described.key, valid_from=since, document_id=document.id)
            session.add(clause)
        clause.position = position
        clause.heading = described.heading or None
        clause.text = described.text
        clause.valid_to = described.valid_to
