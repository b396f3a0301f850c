"""Hand out workbooks, and record that they left the product."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

from flask import Response, send_file

from app import workbook
from app.security import audit

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook_answer(name: str, sheets: Iterable[workbook.Sheet], note: str) -> Response:
    """Return a workbook to be downloaded under a name without suffix; the trail keeps the note."""
    target = BytesIO()
    workbook.write(target, sheets, title=name)
    audit.record("export", note=note)
    target.seek(0)
    return send_file(target, XLSX, as_attachment=True, download_name=f"{name}.xlsx", max_age=0)
