"""Configure roles from the command line: list them, make them for townships, appoint people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click
from flask.cli import AppGroup
from flask_appbuilder.security.sqla.models import User
from sqlalchemy import func, or_, select

from app import database
from app.base import Named, Refused
from app.extensions import db
from app.models import Appointment, Person, RoleScope, School, Township
from app.security import accounts, appointments
from app.security.roles import TEMPLATES, title_of

roles = AppGroup("roles", help="List and configure the roles of townships and appoint people.")
TEMPLATE = click.argument("template", type=click.Choice(list(TEMPLATES)), metavar="TEMPLATE")


@roles.command("list")
def list_roles() -> None:
    """List every template with its scope, its townships and the number of its appointments."""
    places: dict[str, list[str]] = {}
    for key, township in db.session.execute(
        select(RoleScope.template, Township.name)
        .join(Township, Township.id == RoleScope.township_id)
        .order_by(Township.position)
    ):
        places.setdefault(key, []).append(township)
    counts = dict(
        db.session.execute(
            select(Appointment.template, func.count()).group_by(Appointment.template)
        ).all()
    )
    for key, template in TEMPLATES.items():
        where = ", ".join(places.get(key, ()))
        kind = template.scope_kind
        click.echo(f"{key:24} {title_of(key)} [{kind}] {counts.get(key, 0)} {where}".rstrip())


@roles.command("configure")
@TEMPLATE
@click.option("--township", "townships", multiple=True, metavar="NAME", help="May be repeated.")
def configure(template: str, townships: tuple[str, ...]) -> None:
    """Make the roles of TEMPLATE in townships, or the county's one without --township."""
    with database.writing(), _refusals():
        found = [_one(Township, name) for name in townships]
        count = appointments.configure(db.session(), template, found)
        db.session.commit()
    click.echo(f"{count} roles")


@roles.command("assign")
@click.argument("person")
@TEMPLATE
@click.option("--township", "townships", multiple=True, metavar="NAME")
@click.option("--school", "schools", multiple=True, metavar="NAME")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="Default: today.")
@click.option("--to", "until", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--title", help="The office as it reads on the screen.")
@click.option("--acting-for", metavar="PERSON", help="Who is away and holds this office.")
def assign(
    person: str,
    template: str,
    townships: tuple[str, ...],
    schools: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    title: str | None,
    acting_for: str | None,
) -> None:
    """Appoint PERSON (a name, a number or an account) under TEMPLATE."""
    with database.writing(), _refusals():
        office = appointments.Office(
            template=TEMPLATES[template],
            townships=tuple(_one(Township, name) for name in townships),
            schools=tuple(_one(School, name) for name in schools),
            valid_from=since.date() if since else None,
            valid_to=until.date() if until else None,
            title=title,
            acting_for=_person(acting_for) if acting_for else None,
        )
        made = appointments.appoint(db.session(), _person(person), office)
        db.session.commit()
    click.echo(f"{len(made)} appointments")


class _refusals:  # noqa: N801  # used as a block
    """Turn a refusal into one line and a failed exit."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: Any, refusal: Any, _trace: Any) -> None:
        """Say why it was refused."""
        if kind is not None:
            db.session.rollback()
        if isinstance(refusal, Refused):
            raise click.ClickException(refusal.message) from refusal


def _one(model: type[Named], name: str) -> Any:
    rows = db.session.scalars(select(model).where(model.name == name).limit(2)).all()
    if len(rows) != 1:
        reason = "no such name" if not rows else "several have this name"
        raise click.BadParameter(f"{name}: {reason}")
    return rows[0]


def _person(text: str) -> Person:
    accounted = select(User.id).where(func.lower(User.username) == accounts.normalised(text))
    chosen = [Person.name == text, Person.user_id.in_(accounted)]
    if text.isascii() and text.isdecimal():
        chosen.append(Person.id == int(text))
    rows = db.session.scalars(select(Person).where(or_(*chosen)).limit(2)).all()
    if len(rows) != 1:
        reason = "nobody has this name" if not rows else "several do; use the number or account"
        raise click.BadParameter(f"{text}: {reason}")
    return rows[0]
