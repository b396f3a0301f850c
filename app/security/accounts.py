"""Create and change accounts: password rules, failures and locks, ends of sessions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from flask import current_app
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from sqlalchemy import and_, case, func, insert, or_, select, update
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from app import clock
from app.base import Refused
from app.database import insert_into
from app.models import Account, Appointment, County, Person
from app.security import audit
from app.security.roles import TEMPLATES, role_for
from app.security.scope import table_of

CLASSES = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]")
LONGEST_PASSWORD = 128
LONGEST_NAME = 64
_account = table_of(Account)


def normalised(username: str) -> str:
    """Return the one spelling of an account's name: width, case and spaces do not matter."""
    return "".join(unicodedata.normalize("NFKC", username).split()).casefold()


def find(session: Session, username: str) -> User | None:
    """Return the user of a name, however it was typed."""
    name = normalised(username)[:LONGEST_NAME]
    if not name or "\0" in name:
        return None
    return session.scalar(select(User).where(func.lower(User.username) == name).limit(1))


def password_faults(password: str, username: str = "") -> Iterator[str]:
    """Yield what the rules for passwords object to."""
    shortest: int = current_app.config["PASSWORD_MIN_LENGTH"]
    classes: int = current_app.config.get("PASSWORD_CLASSES", 3)
    if not shortest <= len(password) <= LONGEST_PASSWORD:
        yield _("The password must have at least %(count)s characters.", count=shortest)
    if sum(bool(re.search(kind, password)) for kind in CLASSES) < classes:
        yield _(
            "The password must mix at least %(count)s of: small letters, capitals, digits, signs.",
            count=classes,
        )
    if username and normalised(username) in normalised(password):
        yield _("The password must not contain the account name.")


def hashed(password: str) -> str:
    """Return the salted hash of a password."""
    return generate_password_hash(
        password,
        method=current_app.config.get("FAB_PASSWORD_HASH_METHOD", "scrypt"),
        salt_length=current_app.config.get("FAB_PASSWORD_HASH_SALT_LENGTH", 16),
    )


def create(
    session: Session,
    *,
    username: str,
    name: str,
    password: str,
    person: Person | None = None,
    must_change_password: bool = True,
    is_demonstration: bool = False,
    templates: Sequence[str] = (),
) -> User:
    """Create an account for a person, who is made too where none is given; nothing is committed.

    `templates` appoints the person for the whole county. Before a county exists nobody can be
    appointed: then the account gets the break-glass role.
    """
    username = normalised(username)
    if not re.fullmatch(r"[\w.@-]{2,64}", username):
        raise Refused(_("The account name may hold letters, digits, dots and dashes."))
    if find(session, username) is not None:
        raise Refused(_("This account name exists already."))
    user = User(
        username=username,
        first_name="",
        last_name=name[:64],
        email=f"{username}@localhost.invalid",
        password=hashed(password),
        active=True,
    )
    session.add(user)
    session.flush()
    session.execute(
        insert(_account).values(
            user_id=user.id,
            failures=0,
            session_number=1,
            must_change_password=must_change_password,
            password_changed_at=clock.now(),
            is_demonstration=is_demonstration,
        )
    )
    _appoint(session, user, person, name, templates)
    return user


def _appoint(
    session: Session, user: User, person: Person | None, name: str, templates: Sequence[str]
) -> None:
    county_id = session.scalar(select(County.id).limit(1))
    if county_id is None:
        if templates:
            admin = current_app.config["AUTH_ROLE_ADMIN"]
            user.roles = list(session.scalars(select(Role).where(Role.name == admin)))
        return
    if person is None:
        person = Person(name=name, county_id=county_id)
        session.add(person)
    person.user_id = user.id
    session.flush()
    for key in templates:
        session.add(
            Appointment(
                person_id=person.id,
                county_id=county_id,
                template=key,
                capacity=TEMPLATES[key].capacity,
                scope_kind=TEMPLATES[key].scope_kind,
                role_id=role_for(session, key).id,
                valid_from=clock.today(),
            )
        )
    session.flush()


def set_password(session: Session, user: User, password: str, *, must_change: bool) -> None:
    """Give an account a new password and end its sessions; refuse one against the rules."""
    faults = list(password_faults(password, user.username))
    if faults:
        raise Refused(" ".join(faults))
    if user.password and check_password_hash(user.password, password):
        raise Refused(_("The new password must differ from the present one."))
    user.password = hashed(password)
    _change(
        session,
        user.id,
        must_change_password=must_change,
        password_changed_at=clock.now(),
        session_number=_account.c.session_number + 1,
        failures=0,
        locked_until=None,
    )
    audit.record("password", table="ab_user", row_id=user.id)


def set_active(session: Session, user: User, *, is_active: bool) -> None:
    """Open or close an account; closing ends its sessions."""
    user.active = is_active
    end_sessions(session, user.id)


def lock(session: Session, user_id: int) -> None:
    """Lock an account until it is unlocked by hand, and end its sessions."""
    _change(
        session,
        user_id,
        locked_until=clock.now().replace(year=9000),
        session_number=_account.c.session_number + 1,
    )


def unlock(session: Session, user_id: int) -> None:
    """Lift a lock and forget the failures."""
    _change(session, user_id, failures=0, first_failure_at=None, locked_until=None)


def note_login(session: Session, user_id: int) -> None:
    """Keep when the account was used last, and how often."""
    user = table_of(User)
    values = {
        "last_login": clock.now().replace(tzinfo=None),  # the framework's column knows no zone
        "login_count": func.coalesce(user.c.login_count, 0) + 1,
    }
    session.execute(update(user).where(user.c.id == user_id).values(values))


def end_sessions(session: Session, user_id: int) -> None:
    """End every session of an account, copied cookies too."""
    _change(session, user_id, session_number=_account.c.session_number + 1)


def _change(session: Session, user_id: int, **values: object) -> None:
    _ensure(session, user_id)
    session.execute(update(_account).where(_account.c.user_id == user_id).values(**values))


def _ensure(session: Session, user_id: int) -> None:
    held = select(_account.c.user_id).where(_account.c.user_id == user_id)
    if session.scalar(held) is None and session.scalar(select(User.id).where(User.id == user_id)):
        session.connection().execute(  # the guard would refuse who has not signed in yet
            insert_into(session, _account)
            .values(
                user_id=user_id,
                failures=0,
                session_number=1,
                must_change_password=False,
                is_demonstration=False,
            )
            .on_conflict_do_nothing()
        )


def session_number(session: Session, user_id: int) -> int:
    """Return the number that the sessions of an account must carry."""
    held = select(_account.c.session_number).where(_account.c.user_id == user_id)
    return session.scalar(held) or 1


def reserve_attempt(session: Session, user_id: int) -> bool:
    """Count a login before its password is compared; return whether it may be compared.

    Counting first lets no two attempts at once slip through: the last that is allowed locks the
    account, and a right password lifts the lock again. One statement, so that it holds on both
    databases. Commits.
    """
    now = clock.now()
    config = current_app.config
    _ensure(session, user_id)
    fresh = or_(
        _account.c.first_failure_at.is_(None),
        _account.c.first_failure_at < now - config["LOGIN_WINDOW"],
        _account.c.locked_until.is_not(None),
    )
    failures = case((fresh, 1), else_=_account.c.failures + 1)
    changed = session.execute(
        update(_account)
        .where(
            and_(
                _account.c.user_id == user_id,
                or_(_account.c.locked_until.is_(None), _account.c.locked_until <= now),
            )
        )
        .values(
            failures=failures,
            first_failure_at=case((fresh, now), else_=_account.c.first_failure_at),
            locked_until=case(
                (failures >= config["LOGIN_FAILURES"], now + config["LOGIN_LOCK"]), else_=None
            ),
        )
        .returning(_account.c.failures)
    ).all()
    session.commit()
    return bool(changed)


def is_refused_demonstration(session: Session, user_id: int) -> bool:
    """Return whether the account is of the demonstration and this is production."""
    if not current_app.config["IS_PRODUCTION"]:
        return False
    held = select(_account.c.is_demonstration).where(_account.c.user_id == user_id)
    return bool(session.scalar(held))
