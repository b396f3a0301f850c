"""Make the county of a benchmark in a process of its own, once for each state of the code."""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from flask import Flask
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import create_engine, func, inspect, select, text, update

from app import clock, create_app, database
from app.cli import demo, deploy, translations
from app.cli.bench import bulk
from app.cli.bench.settings import BenchConfig
from app.cli.bench.site import COUNTY_WIDE, DAY, EVERYWHERE, ROOT, Known, Site, clear
from app.extensions import db
from app.models import Account, Child, Code, County, Inspection, School, Visit
from app.security import accounts

MARK = "bench_mark"


def main(site: Site) -> Known:
    """Make or mend the site, and return what is known of it."""
    folder = Path(site.folder)
    config = BenchConfig(folder, site.url, (Path(site.plugins),) if site.plugins else ())
    made = _digest(_makers(site), site, config)
    deployed = _digest(_sources(site), site, config)
    mark = _mark(site)
    if mark is None or mark[0] != made:
        clear(site)
    app = create_app(config)
    with app.app_context():
        translations.compile_all(app)
        with database.writing():
            if mark != (made, deployed):
                deploy.run(app)
            if mark is None or mark[0] != made:
                _make(app, site)
            _set_mark(made, deployed)
            known = _known(_set_passwords())
        db.session.remove()
        db.engine.dispose()
    return known


def _makers(site: Site) -> Iterable[Path]:
    """Return the files that decide which rows are made."""
    if site.counties > 1:
        yield Path(bulk.__file__)
    yield from sorted((ROOT / "app/cli/demo").rglob("*.py"))
    yield from sorted((ROOT / "seed").rglob("*.*"))


def _sources(site: Site) -> Iterable[Path]:
    """Return the files that decide what a deployment does."""
    folders = [ROOT / "app", ROOT / "plugins", ROOT / "seed"]
    if site.plugins:
        folders.append(Path(site.plugins))
    for folder in folders:
        for path in sorted(folder.rglob("*.*")):
            if path.suffix in {".py", ".toml"} and "bench" not in path.parts:
                yield path


def _digest(files: Iterable[Path], site: Site, config: BenchConfig) -> str:
    """Return one digest over files, size and keys: other keys could not read what is encrypted."""
    digest = hashlib.sha256(f"{site.pupils} {config.BLIND_INDEX_KEY}".encode())
    for path in files:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _mark(site: Site) -> tuple[str, str] | None:
    """Return the digests of what stands there, or None where nothing does."""
    engine = create_engine(site.url)
    try:
        if not inspect(engine).has_table(MARK):
            return None
        with engine.connect() as connection:
            row = connection.execute(text("SELECT made, deployed FROM bench_mark")).first()
            return (row.made, row.deployed) if row else None
    finally:
        engine.dispose()


def _make(app: Flask, site: Site) -> None:
    session = db.session()
    if site.pupils:
        request = demo.Request(site.schools, site.pupils, 1, DAY)
        demo.make(session, app.config["SEED_DIR"], request)
    else:
        demo.known_days(session, app.config["SEED_DIR"])  # loads the county alone
    first = accounts.create(
        session, username=EVERYWHERE, name=EVERYWHERE, password=_password(), is_demonstration=True
    )
    first.roles = list(session.scalars(select(Role).where(Role.name == "Admin")))
    accounts.create(
        session,
        username=COUNTY_WIDE,
        name=COUNTY_WIDE,
        password=_password(),
        is_demonstration=True,
        templates=("supervision_office",),
    )
    session.commit()
    if site.counties > 1:
        bulk.multiply(db.engine, site.counties)
    session.execute(text("ANALYZE"))
    session.commit()


def _set_mark(made: str, deployed: str) -> None:
    session = db.session()
    session.execute(text("CREATE TABLE IF NOT EXISTS bench_mark (made TEXT, deployed TEXT)"))
    session.execute(text("DELETE FROM bench_mark"))
    session.execute(
        text("INSERT INTO bench_mark VALUES (:made, :deployed)"),
        {"made": made, "deployed": deployed},
    )
    session.commit()


def _password() -> str:
    return f"Aa1-{secrets.token_urlsafe(16)}"


def _set_passwords() -> str:
    """Give both accounts a password for this run; nothing keeps it."""
    session, password = db.session(), _password()
    for name in (EVERYWHERE, COUNTY_WIDE):
        user = accounts.find(session, name)
        assert user is not None
        user.password = accounts.hashed(password)
        session.execute(
            update(Account)
            .where(Account.user_id == user.id)
            .values(
                password_changed_at=clock.now(),
                must_change_password=False,
                failures=0,
                locked_until=None,
            )
        )
    session.commit()
    return password


def _known(password: str) -> Known:
    session = db.session()
    county_id = session.scalar(select(func.min(County.id))) or 0
    user = accounts.find(session, EVERYWHERE)
    assert user is not None
    visit = session.scalar(select(func.max(Visit.id)).where(Visit.county_id == county_id))
    child_id = session.scalar(select(Visit.child_id).where(Visit.id == visit)) or 0
    middle = session.scalar(
        select(Child.name).where(func.length(Child.name) == 3).order_by(Child.id).limit(1)
    )
    largest = (
        select(Child.school_id)
        .where(Child.school_id.is_not(None), Child.county_id == county_id)
        .group_by(Child.school_id)
        .order_by(func.count().desc(), Child.school_id)
        .limit(1)
    )
    return Known(
        password=password,
        children=_count(Child),
        visits=_count(Visit),
        inspections=_count(Inspection),
        county_id=county_id,
        user_id=user.id,
        school_id=session.scalar(largest) or session.scalar(select(func.min(School.id))) or 0,
        child_id=child_id,
        last_visit_id=session.scalar(select(func.max(Visit.id))) or 0,
        method_id=_code("visit_method"),
        reason_id=_code("visit_reason"),
        outcome_id=_code("visit_outcome"),
        term=(middle or "")[-2:],
    )


def _code(domain: str) -> int:
    return db.session.scalar(select(func.min(Code.id)).where(Code.domain == domain)) or 0


def _count(model: type[Child | Visit | Inspection]) -> int:
    return db.session.scalar(select(func.count()).select_from(model.__table__)) or 0


if __name__ == "__main__":
    print(json.dumps(asdict(main(Site(**json.loads(sys.argv[1]))))))
