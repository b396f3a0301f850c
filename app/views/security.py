"""Show and change accounts, and configure the roles of townships on one screen."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from flask import abort, flash, g, redirect, request, url_for
from flask_appbuilder import AppBuilder, BaseView, expose, has_access
from flask_appbuilder.actions import action
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import permission_name
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import Length, Optional

from app import clock
from app.base import Refused
from app.crud.base import BureauModelView
from app.crud.fields import (
    ChoiceWidget,
    DayField,
    LookupField,
    LookupManyField,
    PlainText,
    Required,
    trimmed,
)
from app.crud.interface import BureauInterface, key_of
from app.crud.once import earlier_result, give_token, keep_token
from app.extensions import db
from app.models import Appointment, Person, RoleScope, School, Township
from app.security import accounts, appointments, audit
from app.security.roles import TEMPLATES, title_of

MOST_SHOWN = 200
OF_TOWNSHIPS = ("township", "schools")
"""Scopes whose role of all townships is shown only while somebody holds it."""
SYMBOLS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def new_password() -> str:
    """Return a random password that meets the rules and can be read aloud."""
    return (
        "-".join("".join(secrets.choice(SYMBOLS) for _n in range(5)) for _part in range(3)) + "7aA"
    )


class AccountForm(DynamicForm):
    """Ask whose account it is and how it is called."""

    submit_token = HiddenField()
    person = LookupField(_l("Person"), model=Person, validators=[Required()])
    username = StringField(
        _l("Account name"),
        validators=[Required(), PlainText(), Length(max=accounts.LONGEST_NAME)],
        filters=[trimmed],
        render_kw={"class": "form-control", "autocomplete": "off", "autocapitalize": "none"},
    )


class AccountView(BureauModelView):
    """Keep the accounts: create, reset, lock, close; never one's own, never the emergency one."""

    route_base = "/accounts"
    datamodel = BureauInterface(User)
    noun = _l("Account")
    list_title = _l("Accounts")
    list_columns = ["username", "last_name", "active", "last_login"]
    show_columns = ["username", "last_name", "active", "last_login", "login_count"]
    add_columns: list[str] = []
    edit_columns: list[str] = []
    search_columns = ["username", "last_name", "active"]
    base_order = ("username", "asc")
    exclude_route_methods = {"add", "edit", "delete"}
    label_columns = {
        "username": _l("Account name"),
        "last_name": _l("Full name"),
        "active": _l("In use"),
        "last_login": _l("Last login"),
        "login_count": _l("Logins"),
    }
    list_template = "security/accounts.html"
    looks_up: ClassVar[dict[str, tuple[type[Any], ...]]] = {"can_new": (Person,)}

    @expose("/new", methods=["GET", "POST"])
    @has_access
    def new(self) -> Response | str:
        """Create an account for a person; the password is shown once."""
        form = AccountForm()
        done = self._made_before(form) if form.is_submitted() else None
        if done is None and form.validate_on_submit():
            try:
                return self._create(form)
            except Refused as refusal:
                db.session.rollback()
                done = self._made_before(form)
                form.username.errors = [*form.username.errors, refusal.message]
        return done or self._form(form)

    def _made_before(self, form: AccountForm) -> Response | None:
        """Return the way to the account that the same form made, whose password went unseen."""
        done = earlier_result(form, url_for("AccountView.list"))
        if done is not None:
            flash(_("If you did not see the password, reset it."), "warning")
        return done

    def _create(self, form: AccountForm) -> str:
        person: Any = form.person.data
        if person.user_id is not None:
            raise Refused(_("This person has an account already."))
        password = new_password()
        user = accounts.create(
            db.session(),
            username=form.username.data,
            name=person.name,
            password=password,
            person=person,
        )
        keep_token(form, url_for("AccountView.show", pk=user.id))
        db.session.commit()
        audit.record("account", table="ab_user", row_id=user.id, note="created")
        return self._password_once(user, password)

    def _form(self, form: AccountForm) -> str:
        give_token(form)
        return str(
            self.render_template(
                "security/form.html",
                title=_("New account"),
                form=form,
                fields=("person", "username"),
            )
        )

    def _password_once(self, user: User, password: str) -> str:
        return str(
            self.render_template(
                "security/password.html",
                title=_("Password of %(name)s", name=user.username),
                user=user,
                password=password,
            )
        )

    @action("reset", _l("Reset password"), _l("Give this account a new password?"), "fa-key")
    def reset(self, user: Any) -> Response | str:
        """Give an account a new random password, which has to be changed at the next login."""
        one = self._one(user)
        password = new_password()
        accounts.set_password(db.session(), one, password, must_change=True)
        db.session.commit()
        return self._password_once(one, password)

    @action("lock", _l("Lock"), _l("Lock these accounts and end their sessions?"), "fa-lock")
    def lock(self, users: Any) -> Response:
        """Lock accounts until they are unlocked."""
        return self._each(users, "locked", lambda user: accounts.lock(db.session(), user.id))

    @action("unlock", _l("Unlock"), _l("Unlock these accounts?"), "fa-lock-open")
    def unlock(self, users: Any) -> Response:
        """Lift the locks of accounts."""
        return self._each(users, "unlocked", lambda user: accounts.unlock(db.session(), user.id))

    @action(
        "close", _l("Close account"), _l("Close these accounts and end their sessions?"), "fa-ban"
    )
    def close(self, users: Any) -> Response:
        """Close accounts; nothing that they did is lost."""
        return self._each(
            users, "closed", lambda user: accounts.set_active(db.session(), user, is_active=False)
        )

    @action("reopen", _l("Reopen account"), _l("Reopen these accounts?"), "fa-check")
    def reopen(self, users: Any) -> Response:
        """Open closed accounts again."""
        return self._each(
            users, "reopened", lambda user: accounts.set_active(db.session(), user, is_active=True)
        )

    def _each(self, users: Any, word: str, change: Any) -> Response:
        for user in users if isinstance(users, list) else [users]:
            self._refuse_protected(user)
            change(user)
            audit.record("account", table="ab_user", row_id=user.id, note=word)
        db.session.commit()
        flash(_("Done. Sessions of closed and locked accounts have ended."), "success")
        return redirect(url_for("AccountView.list"))

    def _one(self, users: Any) -> User:
        rows = users if isinstance(users, list) else [users]
        if len(rows) != 1:
            raise Refused(_("Choose exactly one account."))
        self._refuse_protected(rows[0])
        return rows[0]

    def _refuse_protected(self, user: User) -> None:
        """Refuse the own account, and the emergency account to whoever is not signed in with it."""
        if user.id == g.user_id:
            raise Refused(_("Nobody changes his own appointments or his own account here."))
        admin = self.appbuilder.sm.auth_role_admin
        if any(role.name == admin for role in user.roles) and not g.holder.is_break_glass:
            raise Refused(_("The emergency account is changed only from the server."))


class OfficeForm(DynamicForm):
    """Ask for a template, its townships, and the people who get the office."""

    submit_token = HiddenField()
    template = SelectField(_l("Role"), validators=[Required()], widget=ChoiceWidget())
    townships = LookupManyField(
        _l("Townships"),
        model=Township,
        description=_l("One role is made for each township. Leave empty for one of all townships."),
    )
    persons = LookupManyField(
        _l("People"),
        model=Person,
        description=_l("Leave empty to make the roles without appointing anybody."),
    )
    schools = LookupManyField(
        _l("Schools"), model=School, description=_l("For roles of single schools.")
    )
    title = StringField(
        _l("Office"),
        validators=[Optional(), PlainText(), Length(max=60)],
        filters=[trimmed],
        render_kw={"class": "form-control"},
    )
    valid_from = DayField(_l("Valid from"), validators=[Optional()])
    valid_to = DayField(_l("Valid until"), validators=[Optional()])
    acting_for = LookupField(
        _l("Acting for"),
        model=Person,
        validators=[Optional()],
        description=_l("Who is away and holds this office; it needs a day until when."),
    )

    def office(self) -> appointments.Office:
        """Return the office that the form describes."""
        return appointments.Office(
            template=TEMPLATES[self.template.data],
            townships=tuple(self.townships.data or ()),
            schools=tuple(self.schools.data or ()),
            valid_from=self.valid_from.data,
            valid_to=self.valid_to.data,
            title=self.title.data,
            acting_for=self.acting_for.data,
        )


FIELDS = (
    "template", "townships", "persons", "schools", "title", "valid_from", "valid_to", "acting_for",
)  # fmt: skip


class RoleScopeView(BaseView):
    """Configure the roles of townships: templates, their townships, the people appointed."""

    route_base = "/roles"
    default_view = "list"
    looks_up: ClassVar[dict[str, tuple[type[Any], ...]]] = {
        "can_configure": (Township, Person, School)
    }

    @expose("/")
    @has_access
    def list(self) -> str:
        """Show each template with its roles and how many people hold them today."""
        return self._render(
            "security/roles.html", title=_("Roles"), groups=_groups(), templates=TEMPLATES
        )

    @expose("/configure", methods=["GET", "POST"])
    @has_access
    def configure(self) -> Response | str:
        """Make the roles of a template in townships and appoint people, all at once or not."""
        form = OfficeForm()
        form.template.choices = [(key, title_of(key)) for key in TEMPLATES]
        if form.validate_on_submit():
            done = self._made_before(form) or self._configure(form) or self._made_before(form)
            if done is not None:
                return done
        elif request.method == "GET":
            form.template.data = request.args.get("template")
            form.valid_from.data = clock.today()
        give_token(form)
        return self._render(
            "security/form.html", title=_("Configure roles"), form=form, fields=FIELDS
        )

    def _made_before(self, form: OfficeForm) -> Response | None:
        return earlier_result(form, url_for("RoleScopeView.list"))

    def _configure(self, form: OfficeForm) -> Response | None:
        office, session = form.office(), db.session()
        try:
            roles = appointments.configure(session, office.template.key, office.townships)
            made = [
                row
                for person in form.persons.data or ()
                for row in appointments.appoint(session, person, office)
            ]
            keep_token(form, url_for("RoleScopeView.list"))
            session.commit()
        except Refused as refusal:
            session.rollback()
            audit.record("refuse", table="appointment", note=refusal.message)
            form.template.errors = [*form.template.errors, refusal.message]
            return None
        flash(
            _(
                "%(roles)s roles are ready, %(people)s appointments were made.",
                roles=roles,
                people=len(made),
            ),
            "success",
        )
        return redirect(url_for("RoleScopeView.list"))

    @expose("/people/<pk>")
    @has_access
    @permission_name("list")
    def people(self, pk: str) -> str:
        """Show who holds one role today."""
        role = self._role(pk)
        held = (
            select(Appointment)
            .options(joinedload(Appointment.person), joinedload(Appointment.school))
            .where(Appointment.role_id == role.role_id, *_in_force())
            .order_by(Appointment.id)
            .limit(MOST_SHOWN)
        )
        return self._render(
            "security/people.html",
            title=title_of(role.template),
            role=role,
            appointments=db.session.scalars(held).unique().all(),
        )

    @expose("/end/<pk>", methods=["POST"])
    @has_access
    def end(self, pk: str) -> Response:
        """End an appointment at once; the sessions of its holder end with it."""
        key = key_of(pk)
        row = db.session.scalar(select(Appointment).where(Appointment.id == key)) if key else None
        if row is None:
            abort(404)
        try:
            appointments.end(row)
            db.session.commit()
        except Refused as refusal:
            db.session.rollback()
            audit.record("refuse", table="appointment", row_id=key, note=refusal.message)
            flash(refusal.message, "danger")
        else:
            flash(_("The appointment has ended."), "success")
        return redirect(url_for("RoleScopeView.list"))

    def _role(self, pk: str) -> RoleScope:
        key = key_of(pk)
        row = db.session.scalar(select(RoleScope).where(RoleScope.id == key)) if key else None
        if row is None:
            abort(404)
        return row

    def _render(self, template: str, **values: Any) -> str:
        return str(self.render_template(template, **values))


def _in_force() -> tuple[Any, ...]:
    today = clock.today()
    still = or_(Appointment.valid_to.is_(None), Appointment.valid_to >= today)
    return Appointment.valid_from <= today, still


def _groups() -> dict[str, list[Any]]:
    """Return the roles of each template with their holders' number, in one statement."""
    held = (
        select(Appointment.role_id, func.count().label("holders"))
        .where(*_in_force())
        .group_by(Appointment.role_id)
        .subquery()
    )
    rows = db.session.execute(
        select(RoleScope.id, RoleScope.template, Role.name, Township.name.label("township"))
        .add_columns(func.coalesce(held.c.holders, 0).label("holders"))
        .join(Role, Role.id == RoleScope.role_id)
        .outerjoin(Township, Township.id == RoleScope.township_id)
        .outerjoin(held, held.c.role_id == RoleScope.role_id)
        .order_by(Township.position, RoleScope.id)
    ).all()
    groups: dict[str, list[Any]] = {key: [] for key in TEMPLATES}
    for row in rows:
        if row.township or row.holders or TEMPLATES[row.template].scope_kind not in OF_TOWNSHIPS:
            groups[row.template].append(row)
    return groups


def add_views(appbuilder: AppBuilder) -> None:
    """Add the accounts and roles to the menu."""
    for view, label, icon in (
        (AccountView, _l("Accounts"), "fa-users"),
        (RoleScopeView, _l("Roles"), "fa-user-shield"),
    ):
        appbuilder.add_view(
            view,
            view.__name__,
            label=label,
            icon=icon,
            category="Administration",
            category_label=_l("Administration"),
            category_icon="fa-gear",
        )
