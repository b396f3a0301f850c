"""Add, edit and delete rows: a refusal changes nothing and loses nothing that was typed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from flask import abort, flash, redirect, request, session, url_for
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response
from wtforms import Form

from app.base import Refused
from app.columns import blind_index
from app.crud.blank import BlankForm
from app.crud.fab import Mixin
from app.crud.fields import LookupField
from app.crud.once import earlier_result, give_token, keep_token
from app.crud.placement import fill_county, follow_school, only_place
from app.crud.references import plural_of, referring_tables
from app.crud.refusal import FieldRefused, explain, incident_text
from app.extensions import db
from app.files.field import EvidenceField
from app.security.completion import complete
from app.security.guard import current_scope

MOST_ROWS = 100


class SavingMixin(Mixin):
    """The writing half of the base view."""

    datamodel: Any
    add_form: Any
    edit_form: Any
    appbuilder: Any
    actions: dict[str, Any]
    noun: Any
    endpoint: str
    exclude_route_methods: Any
    class_permission_name: str
    _blank_form: BlankForm

    def saved(self, item: Any, *, is_new: bool) -> None:
        """Follow a row that was written, in its transaction; raise Refused to take it back."""

    def check(self, form: Form, item: Any | None) -> None:
        """Compare fields with each other; raise FieldRefused to name the one that is wrong."""

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> Any:
        """Show an empty form, or store what came back in it."""
        if request.method == "GET" and self._begins_empty():
            draw = self._blank_form.widget(self.add_form, self._draw_add_form)
            if draw is not None:
                return self._page("add", {"add": draw})
        form = self.add_form.refresh()
        if request.method == "POST":
            done = self._result_of(form) or (self._save(form, None) if form.validate() else None)
            if done is not None:
                return done
        else:
            self._prefill(form)
        give_token(form)
        widgets = self._get_add_widget(form=form)
        return self._page("add", widgets)

    @expose("/edit/<pk>", methods=["GET", "POST"])
    @has_access
    def edit(self, pk: str) -> Any:
        """Show a row in a form, or store what came back in it."""
        item = self.row(pk, self.edit_columns)
        self.before_edit(item)
        form = self.edit_form.refresh(item)
        if request.method == "POST":
            if self._is_stale(form, item):
                self._tell_conflict(form, item)
            elif form.validate():
                done = self._save(form, item)
                if done is not None:
                    return done
        else:
            self.prefill_form(form, item.id)
            self.update_redirect()
        widgets = self._get_edit_widget(form=form)
        return self._page("edit", widgets)

    @expose("/delete/<pk>", methods=["POST"])
    @has_access
    def delete(self, pk: str) -> Any:
        """Delete a row that nothing refers to."""
        item = self.row(pk)
        name = str(item)
        try:
            self.pre_delete(item)
            self._refuse_referenced(item)
            db.session.delete(item)
            db.session.commit()
        except Refused as refusal:
            db.session.rollback()
            flash(refusal.message, "danger")
            return redirect(self._back())
        except HTTPException:
            db.session.rollback()
            raise
        except Exception as error:  # noqa: BLE001  # the database's words stay in the log
            db.session.rollback()
            flash(incident_text(error), "danger")
            return redirect(self._back())
        self.post_delete(item)
        flash(_("%(noun)s “%(row)s” was deleted.", noun=self.noun, row=name), "success")
        return redirect(self._back(gone=pk))

    @expose("/action/<string:name>/<pk>", methods=["POST"])
    def action(self, name: str, pk: str) -> Any:
        """Run an action on one row."""
        return self._act(name, [pk], lambda run, rows: run(rows[0]))

    @expose("/action_post", methods=["POST"])
    def action_post(self) -> Any:
        """Run an action on the rows that were ticked."""
        keys = list(dict.fromkeys(request.form.getlist("rowid")))
        if len(keys) > MOST_ROWS:
            abort(400)
        return self._act(request.form.get("action", ""), keys, lambda run, rows: run(rows))

    def before_edit(self, item: Any) -> None:
        """Decide whether a row may be edited at all; abort or raise otherwise."""

    def _act(self, name: str, keys: Sequence[str], call: Any) -> Any:
        action = self.actions.get(name)
        if action is None:
            abort(404)
        if not self._may_act(name):
            if current_user.is_authenticated:
                abort(403)
            return redirect(self.appbuilder.get_url_for_login_with(request.url))
        rows = [self.row(key) for key in keys]
        if not rows:
            flash(_("Select at least one row first."), "warning")
            return redirect(self._back())
        try:
            return call(action.func, rows)
        except Refused as refusal:
            db.session.rollback()
            flash(refusal.message, "danger")
        except HTTPException:
            db.session.rollback()
            raise
        except Exception as error:  # noqa: BLE001
            db.session.rollback()
            flash(incident_text(error), "danger")
        return redirect(self._back())

    def _may_act(self, name: str) -> bool:
        permission = self.get_action_permission_name(name)
        return bool(self.appbuilder.sm.has_access(permission, self.class_permission_name))

    def _save(self, form: Form, item: Any | None) -> Response | None:
        """Store a valid form; return where to go, or None where the form has to come back."""
        is_new = item is None
        key = None if item is None else item.id
        try:
            self.process_form(form, is_new)
            row, url = self._write(form, item)
            told = self._message(row, is_new=is_new)  # now: after the commit it is read anew
            db.session.commit()
        except Refused as refusal:
            db.session.rollback()
            self._tell_refusal(form, refusal)
        except StaleDataError:
            db.session.rollback()
            self._tell_conflict(form, self.row(key))
        except IntegrityError as error:
            db.session.rollback()
            done = self._result_of(form)
            if done is not None:
                return done
            self._tell_integrity(form, error)
        except HTTPException:
            db.session.rollback()
            raise
        except Exception as error:  # noqa: BLE001  # the database's words stay in the log
            db.session.rollback()
            flash(incident_text(error), "danger")
        else:
            (self.post_add if is_new else self.post_update)(row)
            flash(told, "success")
            return redirect(url)
        return None

    def _write(self, form: Form, item: Any | None) -> tuple[Any, str]:
        """Write a row and whatever follows it, in one transaction that the caller ends."""
        is_new = item is None
        row = self.datamodel.obj() if item is None else item
        with db.session.no_autoflush:
            self._populate(form, row, self.add_columns if is_new else self.edit_columns)
            fill_county(row)
            follow_school(row)
            self.check(form, item)
            (self.pre_add if is_new else self.pre_update)(row)
        if is_new:
            db.session.add(row)
        db.session.flush()
        self.saved(row, is_new=is_new)
        url = self._url_of(row)
        if is_new:
            self._keep_token(form, url)
        return row, url

    def _populate(self, form: Form, row: Any, columns: Sequence[str]) -> None:
        """Take the values over; keys besides relations, since the guard judges by keys."""
        for name in sorted(columns, key=lambda name: isinstance(form[name], EvidenceField)):
            field = form[name]
            if name not in row.__mapper__.attrs or _says_nothing(row, field):
                continue
            if isinstance(field, EvidenceField):  # the files take the place of their record
                complete(db.session(), row, current_scope())
            field.populate_obj(row, name)
            if f"{name}_index" in row.__mapper__.columns:
                setattr(row, f"{name}_index", blind_index(field.data))
            relation = row.__mapper__.relationships.get(name)
            if relation is not None and isinstance(field, LookupField) and not relation.uselist:
                for column in relation.local_columns:
                    attribute = row.__mapper__.get_property_by_column(column).key
                    setattr(row, attribute, None if field.data is None else field.data.id)

    def _begins_empty(self) -> bool:
        """Tell whether nothing is known of the row that will be added."""
        if any(name.startswith("_flt_") for name in request.args):
            return False
        return current_scope().is_county_wide or not {"school", "township"} & set(self.add_columns)

    def _draw_add_form(self, form: Form) -> str:
        return str(self._get_add_widget(form=form)["add"]())

    def _prefill(self, form: Form) -> None:
        """Begin with the row from which the form was opened, or with the reader's only place."""
        for name in self.add_columns:
            key = request.args.get(f"_flt_0_{name}")
            if key and isinstance(form[name], LookupField):
                form[name].data = form[name].row_of(key)
        if not {"school", "township"} & set(self.add_columns):
            return
        for name, place in zip(("school", "township"), only_place(), strict=True):
            if name in self.add_columns and place is not None and form[name].data is None:
                form[name].data = place

    def _result_of(self, form: Form) -> Response | None:
        """Return the way to the record that an earlier submit of the same form made."""
        return earlier_result(form, self._url_of_list())

    def _keep_token(self, form: Form, url: str) -> None:
        keep_token(form, url)

    def _is_stale(self, form: Form, item: Any) -> bool:
        version = getattr(item, "row_version", None)
        return version is not None and form.row_version.data != str(version)

    def _tell_conflict(self, form: Form, item: Any) -> None:
        """Say that the row changed meanwhile, keep what was typed, and show what is stored now."""
        flash(
            _(
                "Somebody else changed this record while you were editing it. Nothing was stored. "
                "What you typed is still here; compare it with what is stored now, then save again."
            ),
            "warning",
        )
        for name in self.edit_columns:
            stored = getattr(item, name, None)
            if name in item.__mapper__.attrs and form[name].data != stored:
                shown = self.displayed(name, stored)
                form[name].errors = [*form[name].errors, _("Stored now: %(value)s", value=shown)]
        form.row_version.data = str(item.row_version)

    def displayed(self, column: str, value: Any) -> str:
        """Return a value as the lists show it."""
        formatter = self.formatters_columns.get(column)
        if formatter is not None:
            return str(formatter(value))
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        return "—" if value is None else str(value)

    def _tell_refusal(self, form: Form, refusal: Refused) -> None:
        name = refusal.field if isinstance(refusal, FieldRefused) else None
        if name is not None and name in form:
            form[name].errors = [*form[name].errors, refusal.message]
        else:
            flash(refusal.message, "danger")

    def _tell_integrity(self, form: Form, error: IntegrityError) -> None:
        if not explain(error, self.datamodel.obj.__mapper__, form):
            flash(incident_text(error), "danger")

    def _refuse_referenced(self, item: Any) -> None:
        referring = referring_tables(db.session(), item)
        if not referring:
            return
        names = _(", ").join(plural_of(table) for table in referring)
        text = _("“%(row)s” cannot be deleted: %(names)s refer to it.", row=item, names=names)
        if any(hasattr(item, name) for name in ("valid_to", "closed_on")):
            text = f"{text} {_('Enter its last day instead.')}"
        elif hasattr(item, "is_active"):
            text = f"{text} {_('Mark it as no longer active instead.')}"
        raise Refused(text)

    def _message(self, row: Any, *, is_new: bool) -> str:
        if is_new:
            return _("%(noun)s “%(row)s” was added.", noun=self.noun, row=row)
        return _("%(noun)s “%(row)s” was changed.", noun=self.noun, row=row)

    def _url_of(self, row: Any) -> str:
        """Return the page of a row, or the list where its reader may not open it."""
        if "show" not in self.exclude_route_methods and self.appbuilder.sm.has_access(
            "can_show", self.class_permission_name
        ):
            return url_for(f"{self.endpoint}.show", pk=row.id)
        return self._url_of_list()

    def _url_of_list(self) -> str:
        return url_for(f"{self.endpoint}.list")

    def _back(self, gone: str | None = None) -> str:
        """Return the last page before this request that still exists."""
        for url in reversed(session.get("page_history", [])):
            with suppress(ValueError):
                parts = urlsplit(url)
                own = {f"{self.route_base}/{page}/{gone}" for page in ("show", "edit")}
                if parts.path not in own and not parts.path.endswith("/add"):
                    return f"{parts.path}?{parts.query}" if parts.query else parts.path
        return self._url_of_list()

    def _page(self, kind: str, widgets: dict[str, Any]) -> Any:
        return self.render_template(
            getattr(self, f"{kind}_template"),
            title=getattr(self, f"{kind}_title"),
            widgets=widgets,
            related_views=[],
        )


def _says_nothing(row: Any, field: Any) -> bool:
    """Tell whether an empty lookup would overrule the place that a new row takes by itself."""
    return isinstance(field, LookupField) and field.data is None and row.id is None
