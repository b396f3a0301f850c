"""Answer what is typed into a lookup: a few rows, by characters, pinyin or initials."""

from __future__ import annotations

from flask import Response, abort, jsonify, request
from flask_appbuilder import BaseView, expose, has_access

from app.crud.interface import key_of
from app.crud.lookup_rights import may_look_up
from app.crud.lookups import PAGE, Lookup, lookup_named
from app.extensions import db

LAST_PAGE = 500
LONGEST_QUERY = 60


class LookupView(BaseView):
    """Serve the lookups of what the reader may see or choose; the guard narrows their rows."""

    route_base = "/lookup"
    default_view = "list"

    @expose("/<table>")
    @has_access
    def list(self, table: str) -> Response:
        """Return one page of rows as JSON, or the one row that ``id`` names."""
        lookup = lookup_named(table)
        if lookup is None or not may_look_up(lookup.model):
            abort(404)
        if "id" in request.args:
            return self._one(lookup, request.args["id"])
        return self._page(lookup)

    def _one(self, lookup: Lookup, key: str) -> Response:
        found = key_of(key)
        rows = db.session.scalars(lookup.by_key(found)).all() if found is not None else []
        return jsonify(
            results=[{"id": row.id, "text": lookup.text(row)} for row in rows], more=False
        )

    def _page(self, lookup: Lookup) -> Response:
        page = min(key_of(request.args.get("page", "1")) or 1, LAST_PAGE)
        typed = request.args.get("q", "")[:LONGEST_QUERY]
        narrow = {name: request.args[name] for name in lookup.narrowing() if name in request.args}
        try:
            rows = db.session.scalars(lookup.statement(typed, page, narrow)).all()
        except ValueError:  # characters or numbers that no column can hold
            rows = []
        results = [{"id": row.id, "text": lookup.text(row)} for row in rows[:PAGE]]
        return jsonify(results=results, more=len(rows) > PAGE)
