"""Give one person of each role an account, and keep the passwords in the instance folder."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from app.cli.demo.people import ADMINISTRATOR
from app.cli.demo.plan import Hand, World
from app.models import Person
from app.security import accounts
from app.security.roles import TEMPLATES

FILE = "logins.json"
ADMINISTRATOR_NAME = "admin"
MODE = 0o600


@dataclass(frozen=True, slots=True)
class Login:
    """An account of the demonstration and who uses it."""

    role: str
    title: str
    username: str
    password: str
    person: str
    scope: str


def create_logins(world: World) -> list[Login]:
    """Create an account for the administrator and for one person of each other role."""
    return [_login(world, *found) for found in _chosen(world)]


def write_logins(folder: Path, logins: list[Login]) -> Path:
    """Write the logins where only the owner reads them."""
    path = folder / FILE
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        body = {"logins": [asdict(login) for login in logins]}
        json.dump(body, file, ensure_ascii=False, indent=2)
    return path


def _chosen(world: World) -> Iterator[tuple[str, str, Hand, str]]:
    """Yield (role, account name, person, scope) of who signs in: all of one township."""
    town = next(town for town in world.towns if any(c.is_focus for c in town.schools))
    campus = next(campus for campus in town.schools if campus.is_focus)
    rooms = campus.rooms(world.days.years[-1][0])
    of_school = {
        "school_leader": campus.leaders[0],
        "school_clerk": campus.clerks[0],
        "class_teacher": next(room.teacher for room in rooms if room.teacher),
    }
    county = world.county.name
    admin = world.bureau.staff[ADMINISTRATOR[0]][0]
    yield ADMINISTRATOR[0], ADMINISTRATOR_NAME, admin, county
    for template in TEMPLATES:
        if template in ADMINISTRATOR:
            continue
        if template in of_school:
            yield template, template, of_school[template], campus.name
        elif template in town.staff:
            yield template, template, town.staff[template][0], town.row.name
        elif template in world.bureau.staff:
            yield template, template, world.bureau.staff[template][0], county


def _login(world: World, role: str, username: str, hand: Hand, scope: str) -> Login:
    session = world.store.session
    person = session.get_one(Person, hand.person_id)
    password = new_password()
    accounts.create(
        session,
        username=username,
        name=person.name,
        password=password,
        person=person,
        must_change_password=False,
        is_demonstration=True,
    )
    return Login(role, person.title or role, username, password, person.name, scope)


def new_password() -> str:
    """Return a random password with letters, digits and a sign."""
    parts = ("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
    return "-".join(parts).capitalize() + str(secrets.randbelow(90) + 10)


LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are easily mistaken for one another."""
