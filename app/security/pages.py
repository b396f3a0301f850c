"""Pages that belong to the door: signing in and out, the own account, the acting appointment."""

from __future__ import annotations

from typing import Any

from flask import abort, current_app, flash, g, redirect, request, session, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.api import SecurityApi
from flask_appbuilder.security.decorators import no_cache
from flask_appbuilder.security.forms import LoginForm_db
from flask_appbuilder.security.sqla.models import User
from flask_appbuilder.security.views import AuthDBView
from flask_appbuilder.utils.base import get_safe_redirect
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import login_user, logout_user
from werkzeug.security import check_password_hash
from werkzeug.wrappers import Response
from wtforms import PasswordField
from wtforms.validators import DataRequired, EqualTo

from app import clock
from app.base import Refused
from app.extensions import db
from app.security import accounts, acting, audit, tries

REFUSED_LOGIN = _l(
    "Signing in failed. Check the account name and the password; "
    "after several failures an account rests for a while."
)


class SignInView(AuthDBView):
    """Sign in and out; every login starts a session of its own."""

    @expose("/login/", methods=["GET", "POST"])
    @no_cache  # type: ignore[arg-type]  # FAB's own views return texts as well
    def login(self) -> Response | str:
        """Show the form, or sign in and go where the visitor wanted to go."""
        if g.user is not None and g.user.is_authenticated:
            return redirect(self._get_safe_next_url())
        form = LoginForm_db()
        if form.validate_on_submit():
            tries.take(db.session())
            wanted = get_safe_redirect(request.args.get("next", ""))
            user = _builder().sm.auth_user_db(form.username.data, form.password.data)
            if user is None:
                flash(REFUSED_LOGIN, "warning")
                return redirect(_builder().get_url_for_login_with(wanted))
            acting.start_session(accounts.session_number(db.session(), user.id))
            login_user(user, remember=False)
            return redirect(wanted)
        return self.render_template(
            self.login_template, title=self.title, form=form, appbuilder=self.appbuilder
        )

    @expose("/logout/", methods=["GET", "POST"])
    @no_cache  # type: ignore[arg-type]  # FAB's own views return texts as well
    def logout(self) -> Response | str:
        """Ask on GET; on POST sign out and end every session of the account."""
        if not g.user.is_authenticated:
            return redirect(_builder().get_url_for_index)
        if request.method == "GET":
            return self.render_template("security/logout.html", title=_("Sign out"))
        user_id = int(g.user.get_id())
        accounts.end_sessions(db.session(), user_id)
        db.session.commit()
        audit.record("logout", table="ab_user", row_id=user_id)
        logout_user()
        locale = session.get("locale")
        session.clear()
        if locale:
            session["locale"] = locale
        return redirect(_builder().get_url_for_login)


class LoginApi(SecurityApi):
    """Sign programs in under the same policy; tokens are short and cannot be renewed."""

    exclude_route_methods = {"refresh"}

    @expose("/login", methods=["POST"])
    def login(self) -> Response:
        """Return a token for a right name and password; the address is counted like the form's."""
        tries.take(db.session())
        answer: Response = super().login()
        return answer


class PasswordForm(DynamicForm):
    """Ask for the present password and twice for the new one."""

    present = PasswordField(_l("Present password"), validators=[DataRequired()])
    password = PasswordField(_l("New password"), validators=[DataRequired()])
    repeated = PasswordField(
        _l("New password again"),
        validators=[EqualTo("password", message=_l("The two passwords differ."))],
    )


class MyAccountView(BaseView):
    """Show the user his account, his appointments and the form for a new password."""

    route_base = "/account"
    default_view = "userinfo"

    @expose("/")
    @has_access
    def userinfo(self) -> str:
        """Show who is signed in, under which appointments, and what to do without one."""
        return self._page(PasswordForm())

    @expose("/password", methods=["GET", "POST"])
    @has_access
    def password(self) -> Response | str:
        """Change the own password; every other session of the account ends."""
        form = PasswordForm()
        if form.validate_on_submit() and self._change(form):
            flash(_("The password was changed. Sessions on other devices have ended."), "success")
            return redirect(url_for("MyAccountView.userinfo"))
        return self._page(form)

    def _change(self, form: Any) -> bool:
        user = db.session.get(User, g.user_id)
        if user is None:
            abort(404)
        faults = list(accounts.password_faults(form.password.data, user.username))
        if faults:  # what breaks the rules is no attempt to guess the present password
            form.password.errors = [*form.password.errors, *faults]
            return False
        if not accounts.reserve_attempt(db.session(), user.id) or not check_password_hash(
            user.password or "", form.present.data
        ):
            form.present.errors = [*form.present.errors, _("The present password is wrong.")]
            return False
        accounts.unlock(db.session(), user.id)
        db.session.commit()
        try:
            accounts.set_password(db.session(), user, form.password.data, must_change=False)
        except Refused as refusal:
            db.session.rollback()
            form.password.errors = [*form.password.errors, refusal.message]
            return False
        db.session.commit()
        session[acting.NUMBER] = accounts.session_number(db.session(), g.user_id)
        return True

    def _page(self, form: Any) -> str:
        return str(
            self.render_template(
                "security/account.html",
                title=_("My account"),
                form=form,
                holder=g.holder,
                appointments=g.appointments,
                must_change=password_is_due(),
                shortest=current_app.config["PASSWORD_MIN_LENGTH"],
            )
        )


class ActingView(BaseView):
    """Let a person with several appointments choose the one that acts."""

    route_base = "/acting"
    default_view = "choose"

    @expose("/choose", methods=["POST"])
    @has_access
    def choose(self) -> Response:
        """Act under the appointment that the form names."""
        return self._choose(request.form.get("appointment_id", type=int))

    @expose("/choose/<int:pk>", methods=["POST"])
    @has_access
    def choose_one(self, pk: int) -> Response:
        """Act under the appointment that the address names."""
        return self._choose(pk)

    def _choose(self, pk: int | None) -> Response:
        if pk is None or not acting.choose(pk):
            audit.record("refuse", table="appointment", note="not the user's own")
            abort(404)
        audit.record("act", table="appointment", row_id=pk)
        return redirect(_builder().get_url_for_index)


def _builder() -> Any:
    return current_app.extensions["appbuilder"]


def password_is_due() -> bool:
    """Return whether the password must be changed: it was given by another, or is too old."""
    holder = g.get("holder")
    if holder is None:
        return False
    oldest = clock.now() - current_app.config["PASSWORD_MAX_AGE"]
    is_old = holder.password_changed_at is not None and holder.password_changed_at < oldest
    return bool(holder.must_change_password or is_old)


def require_duties() -> Response | None:
    """Send whoever must change his password, or holds no appointment, to his own account."""
    if g.get("holder") is None or request.blueprint in ALWAYS_OPEN or request.endpoint is None:
        return None
    if request.endpoint.endswith("static"):
        return None
    if password_is_due():
        return redirect(url_for("MyAccountView.password"))
    is_idle = g.appointment is None and not g.holder.is_break_glass
    return redirect(url_for("MyAccountView.userinfo")) if is_idle and request.path == "/" else None


ALWAYS_OPEN = frozenset({"MyAccountView", "SignInView", "LocaleView"})
