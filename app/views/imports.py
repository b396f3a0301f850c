"""Import files in the browser: upload, match the columns, look, store, take back."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from flask import Response, abort, current_app, flash, g, redirect, request, send_file, url_for
from flask_appbuilder import AppBuilder, BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app import imports, jobs
from app.base import Refused
from app.crud.base import ReadOnlyView
from app.crud.interface import BureauInterface, find
from app.extensions import db
from app.files import kept
from app.imports import source
from app.imports.batch import FAULTS_KEPT, faults_of_batch, new_batch
from app.imports.entity import Entity, Fault
from app.imports.table import Table
from app.imports.value import text_of
from app.imports.work import CHECK, STORE, opened
from app.models import ImportBatch, Job
from app.security.scope import NOTHING, Scope

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FAULTS_SHOWN = 200
BATCHES_SHOWN = 30
SAMPLES = 3
STATES = {
    "uploaded": _l("Uploaded"),
    "checked": _l("Checked"),
    "stored": _l("Imported"),
    "undone": _l("Taken back"),
}
JOB_STATES = {
    "waiting": _l("Waiting"),
    "running": _l("Running"),
    "done": _l("Done"),
    "failed": _l("Failed"),
}


class ImportView(BaseView):
    """Lead from a file to its batch, step by step."""

    route_base = "/import"
    default_view = "list"

    @expose("/")
    @has_access
    def list(self) -> str:
        """Show what can be imported, and the latest batches."""
        return self.render_template(
            "import/list.html",
            title=_("Imports"),
            entities=[one for one in imports.entities() if may_import(one)],
            batches=_latest(),
            states=STATES,
            titles={one.key: one.title for one in imports.entities()},
        )

    @expose("/template/<key>")
    @has_access
    @permission_name("list")
    def template(self, key: str) -> Response:
        """Hand out the workbook to be filled in."""
        entity = _offered(key)
        content = imports.template(db.session(), entity, _scope())
        return _workbook(content, f"{entity.title}.xlsx")

    @expose("/new/<key>", methods=["GET", "POST"])
    @has_access
    @permission_name("add")
    def upload(self, key: str) -> Any:
        """Take a file and open its batch."""
        entity = _offered(key)
        error = ""
        if request.method == "POST":
            try:
                return redirect(url_for("ImportView.columns", pk=_take(entity)))
            except Refused as refusal:
                db.session.rollback()
                error = refusal.message
        title = _("Import: %(title)s", title=entity.title)
        return self.render_template("import/upload.html", title=title, entity=entity, error=error)

    @expose("/<int:pk>/columns", methods=["GET", "POST"])
    @has_access
    @permission_name("add")
    def columns(self, pk: int) -> Any:
        """Match the columns of the file; what is chosen is remembered for files like this."""
        batch = _own(pk, {"uploaded", "checked"})
        try:
            file = opened(db.session.connection(), batch)
        except Refused as refusal:
            flash(refusal.message, "danger")
            return redirect(url_for("ImportView.upload", key=batch.entity))
        if request.method == "POST":
            chosen = {at: request.form.get(f"head_{at}", "") for at in range(len(file.table.heads))}
            source.remember(
                db.session.connection(), g.user_id, batch.entity, file.table.heads, chosen
            )
            jobs.submit(db.session(), CHECK, batch.id)
            return redirect(url_for("ImportView.show", pk=pk))
        return self.render_template(
            "import/columns.html",
            title=_("Match the columns"),
            batch=batch,
            file=file,
            samples=_samples(file.table),
            chosen={at: name for name, at in file.match.places.items()},
        )

    @expose("/<int:pk>")
    @has_access
    @permission_name("list")
    def show(self, pk: int) -> Any:
        """Show how a batch stands: on its way, checked, stored or taken back."""
        batch = _own(pk)
        job = _last_job(pk)
        is_busy = job is not None and job.state in {"waiting", "running"}
        page = self.render_template(
            "import/show.html",
            title=batch.file_name,
            batch=batch,
            job=job,
            is_busy=is_busy,
            progress=jobs.progress_of(job.id) if is_busy and job is not None else 0,
            entity=imports.find_entity(batch.entity),
            faults=faults_of_batch(db.session(), pk, FAULTS_SHOWN),
            states=STATES,
            job_states=JOB_STATES,
        )
        answer: AnyResponse = current_app.make_response(page)
        if is_busy:
            answer.headers["Refresh"] = "2"
        return answer

    @expose("/<int:pk>/run", methods=["POST"])
    @has_access
    @permission_name("add")
    def run(self, pk: int) -> AnyResponse:
        """Store the good rows of a checked file."""
        batch = _own(pk, {"checked"})
        jobs.submit(db.session(), STORE, batch.id)
        return redirect(url_for("ImportView.show", pk=pk))

    @expose("/<int:pk>/undo", methods=["POST"])
    @has_access
    @permission_name("undo")
    def undo(self, pk: int) -> AnyResponse:
        """Take a batch back, or say why it stays."""
        batch = _own(pk, {"stored"})
        _offered(batch.entity)
        try:
            imports.undo(db.session(), pk, _scope())
            db.session.commit()
            flash(_("The batch was taken back."), "success")
        except Refused as refusal:
            db.session.rollback()
            flash(refusal.message, "danger")
        return redirect(url_for("ImportView.show", pk=pk))

    @expose("/<int:pk>/errors")
    @has_access
    @permission_name("list")
    def errors(self, pk: int) -> AnyResponse:
        """Hand out the rows that failed or should be looked at, with numbers and reasons."""
        batch = _own(pk)
        try:
            file = opened(db.session.connection(), batch)
        except Refused as refusal:
            flash(refusal.message, "danger")
            return redirect(url_for("ImportView.show", pk=pk))
        names = {str(column.header): column.name for column in file.entity.columns}
        faults = [
            Fault(one.number, names.get(one.header, ""), one.message, one.is_warning)
            for one in faults_of_batch(db.session(), pk, 2 * FAULTS_KEPT)
        ]
        content = imports.error_workbook(file.entity, file.table, faults)
        return _workbook(content, _("Rows to look at") + f" {batch.id}.xlsx")


class JobView(ReadOnlyView):
    """Show the jobs: how they stand and what went wrong last."""

    datamodel = BureauInterface(Job)
    noun = _l("Job")
    list_title = _l("Jobs")
    list_columns = ["kind", "state", "created_at", "started_at", "finished_at", "attempts", "error"]
    show_columns = [*list_columns, "subject_id"]
    search_columns = ["kind", "state"]
    base_order = ("created_at", "desc")
    choices_columns = {
        "state": JOB_STATES,
        "kind": jobs.titles,
    }
    label_columns = {
        "started_at": _l("Begun at"),
        "finished_at": _l("Finished at"),
        "attempts": _l("Attempts"),
        "error": _l("Last error"),
        "subject_id": _l("Number of the batch"),
    }


def may_import(entity: Entity) -> bool:
    """Return whether who acts may import an entity: the right to add it on its own screen."""
    manager = current_app.extensions["appbuilder"].sm
    return bool(entity.view and manager.has_access(entity.right, entity.view))


def _offered(key: str) -> Entity:
    entity = imports.find_entity(key)
    if entity is None or not may_import(entity):
        abort(404)
    return entity


def _scope() -> Scope:
    return g.get("scope") or NOTHING


def _take(entity: Entity) -> int:
    """Read the uploaded file once, so that what is no table is refused at once; keep it."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Refused(_("Choose a file."))
    content = file.read()
    read = imports.open_file(entity, content, file.filename)
    session = db.session()
    batch = new_batch(
        session.connection(),
        entity,
        file.filename,
        read.sha256,
        _scope(),
        is_backfilled=request.form.get("is_backfilled") == "1",
    )
    kept.keep(str(batch), content)
    session.commit()
    return batch


def _own(pk: int, states: set[str] | None = None) -> ImportBatch:
    """Return a batch that is the reader's own, or any within a whole county; else there is none."""
    batch: ImportBatch | None = find(db.session, ImportBatch, pk)
    is_own = batch is not None and batch.created_by_id == g.user_id
    if batch is None or not (is_own or _scope().is_county_wide):
        abort(404)
    if states is not None and (not is_own or batch.state not in states):
        abort(404)
    _offered(batch.entity)
    return batch


def _latest() -> Sequence[ImportBatch]:
    query = select(ImportBatch).order_by(ImportBatch.id.desc()).limit(BATCHES_SHOWN)
    if not _scope().is_county_wide:
        query = query.where(ImportBatch.created_by_id == g.user_id)
    return list(db.session.scalars(query))


def _last_job(batch: int) -> Any:
    """Return the latest job of a batch, which its owner sees though jobs are the county's."""
    job = Job.__table__
    query = select(job).where(job.c.subject_id == batch, job.c.kind.in_((CHECK, STORE)))
    return db.session.connection().execute(query.order_by(job.c.id.desc()).limit(1)).first()


def _samples(table: Table) -> list[list[str]]:
    """Return the first cells of each column, so that a person sees what they hold."""
    first = table.rows[:SAMPLES]
    return [
        [text_of(row[at]) for row in first if at < len(row) and text_of(row[at])]
        for at in range(len(table.heads))
    ]


def _workbook(content: bytes, name: str) -> Response:
    return send_file(BytesIO(content), XLSX, as_attachment=True, download_name=name, max_age=0)


def add_views(appbuilder: AppBuilder) -> None:
    """Add the imports and the list of jobs."""
    category = {
        "category": "Administration",
        "category_label": _l("Administration"),
        "category_icon": "fa-gear",
    }
    appbuilder.add_view(
        ImportView, "ImportView", label=_l("Imports"), icon="fa-file-import", **category
    )
    appbuilder.add_view(JobView, "JobView", label=_l("Jobs"), icon="fa-gears", **category)
