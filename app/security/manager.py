"""Guard the door and the rights: Flask-AppBuilder's security manager under the bureau's rules."""

from __future__ import annotations

import logging
from typing import Any

from flask import current_app, g
from flask_appbuilder.const import AUTH_DB, LOGMSG_WAR_SEC_NO_USER
from flask_appbuilder.security.manager import BaseSecurityManager
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_jwt_extended import JWTManager
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.security import check_password_hash

from app.extensions import db
from app.security import accounts, acting, audit, tries
from app.security.holder import Holder, holder_of
from app.security.pages import ActingView, LoginApi, MyAccountView, SignInView
from app.security.permissions import current_permissions

NOBODY = 0
SESSION_CLAIM = "session"


class BureauSecurityManager(SecurityManager):
    """Take rights from the acting appointment, count failed logins, end sessions.

    Of Flask-AppBuilder's own security screens none is registered: its user screens let whoever
    holds them reset any password and grant any role.
    """

    authdbview = SignInView
    security_api = LoginApi

    def __init__(self, appbuilder: Any) -> None:
        self._is_ready = False
        super().__init__(appbuilder)
        self._is_ready = True
        assert self.auth_type == AUTH_DB

    def create_db(self) -> None:
        """Make the Admin and Public roles when the deployment asks, not at every start."""
        if self._is_ready:
            BaseSecurityManager.create_db(self)

    def create_limiter(self, app: Any) -> Limiter:
        """Limit only what a view declares; logins are counted by `tries`, for all workers.

        Bound to the application with the first such view: it asks at every request of any page.
        """
        return Limiter(key_func=get_remote_address)

    def add_limit_view(self, baseview: Any) -> None:
        """Limit a view that declares it."""
        app = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy
        if baseview.limits and "limiter" not in app.extensions:
            self.limiter.init_app(app)
        super().add_limit_view(baseview)

    def create_jwt_manager(self, app: Any) -> JWTManager:
        """Tie tokens to the account's session number, so that they end with the sessions."""
        manager = super().create_jwt_manager(app)
        manager.additional_claims_loader(
            lambda identity: {SESSION_CLAIM: accounts.session_number(db.session(), int(identity))}
        )
        return manager

    def register_views(self) -> None:
        """Register the door, the user's own page and the choice of the appointment."""
        self.appbuilder.add_api(self.security_api)
        self.auth_view = self.authdbview()
        self.appbuilder.add_view_no_menu(self.auth_view)
        self.user_view = self.appbuilder.add_view_no_menu(MyAccountView())
        self.appbuilder.add_view_no_menu(ActingView())

    def auth_user_db(self, username: str, password: str) -> Any | None:
        """Return the user of a right name and password; count the attempt before comparing.

        Unknown, locked and closed accounts cost the same statements and the same hash as a wrong
        password.
        """
        session = db.session()
        user: Any = accounts.find(session, username or "")
        may_try = accounts.reserve_attempt(session, user.id if user else NOBODY)
        may_try = may_try and user is not None and user.is_active and bool(user.password)
        may_try = may_try and not accounts.is_refused_demonstration(session, user.id)
        fake = current_app.config["AUTH_DB_FAKE_PASSWORD_HASH_CHECK"]
        kept = str(user.password) if may_try else fake
        session.rollback()  # hashing takes long: no lock may be held meanwhile
        if not check_password_hash(kept, password or "") or not may_try:
            self._note_failure(user, may_try=may_try)
            return None
        tries.give_back(session)
        accounts.unlock(session, user.id)
        accounts.note_login(session, user.id)
        session.commit()
        audit.record("login", table="ab_user", row_id=user.id, user_id=user.id)
        return user

    def _note_failure(self, user: Any | None, *, may_try: bool) -> None:
        # The typed name is not kept: it may be a password typed into the wrong field.
        audit.record(
            "login_failed",
            table="ab_user",
            row_id=user.id if user else None,
            note=None if may_try else "unknown, closed or locked",
        )

    def load_user(self, pk: int) -> Holder | None:
        """Return the user of a session, if the account is open."""
        holder = holder_of(int(pk))
        return holder if holder is not None and holder.is_active else None

    def load_user_jwt(self, _jwt_header: Any, jwt_data: Any) -> Any | None:
        """Return the user of a token and bind the request to him; ended sessions end tokens."""
        holder = self.load_user(jwt_data["sub"])
        if holder is None or jwt_data.get(SESSION_CLAIM) != holder.session_number:
            return None
        acting.bind(holder, None)
        g.pop("permissions", None)
        g.user = holder
        return holder

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        """Return False: nothing that needs a permission is public."""
        return False

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """Return whether the acting appointment grants a permission on a view."""
        return (permission_name, view_name) in current_permissions()

    def get_user_menu_access(self, menu_names: list[str] | None = None) -> set[str]:
        """Return the menu items that the acting appointment opens."""
        shown = current_permissions().menus
        return set(shown if menu_names is None else shown & set(menu_names))


def _is_not_the_call_for_a_user(record: logging.LogRecord) -> bool:
    """Tell FAB's call for its own command apart: `flask deploy` makes the first administrator."""
    return record.msg != LOGMSG_WAR_SEC_NO_USER


logging.getLogger(BaseSecurityManager.__module__).addFilter(_is_not_the_call_for_a_user)
