"""Show the plugins: what serves, what is broken, how to mend it; and the health of the whole."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, url_for
from flask_appbuilder import AppBuilder, BaseView, expose, has_access
from flask_babel import lazy_gettext as _l

from app.extensions import db
from app.host import failure
from app.host.loader import host_of
from app.host.problem import problem
from app.rules.last import failures

health = Blueprint("health", __name__)


class PluginView(BaseView):
    """List the plugins for the system administrator."""

    route_base = "/plugins"
    default_view = "list"

    @expose("/")
    @has_access
    def list(self) -> str:
        """Show every plugin with its problems."""
        host = host_of()
        note_rule_failures()
        failure.read(host)
        return self.render_template(
            "plugins.html",
            plugins=sorted(host.plugins, key=lambda one: (not one.problems, one.name)),
            missing=host.missing,
        )


@health.get("/healthz")
def healthz() -> Response:
    """Say whether the product serves and how many problems it knows; nothing else."""
    count = len(host_of().registry.problems())
    return jsonify(status="degraded" if count else "ok", problems=count)


def note_rule_failures() -> None:
    """Note at each plugin which of its rules failed in their last run, by whichever process."""
    failed = failures(db.session)  # type: ignore[arg-type]  # a scoped session
    for plugin in host_of().plugins:
        kept = [one for one in plugin.late_problems if one.id != "E055"]
        plugin.late_problems[:] = kept + [
            problem("E055", f"{plugin.name}/rules.py", rule=rule.key, detail=failed[rule.key])
            for rule in plugin.offers.rules
            if plugin.is_active and rule.key in failed
        ]


def banner() -> dict[str, Any]:
    """Return what the banner on every page needs: problems, for those who may mend them."""
    problems = host_of().registry.problems()
    user = g.get("user")
    if not problems or user is None or user.is_anonymous:
        return {}
    if not current_app.extensions["appbuilder"].sm.has_access("can_list", PluginView.__name__):
        return {}
    return {
        "plugin_problems": problems,
        "problems_url": url_for("PluginView.list"),
        "is_plugin_admin": True,
    }


def register(appbuilder: AppBuilder) -> None:
    """Add the page, the banner and the health check."""
    app = current_app
    appbuilder.add_view(
        PluginView,
        "PluginView",
        label=_l("Plugins"),
        icon="fa-plug",
        category="Administration",
        category_label=_l("Administration"),
        category_icon="fa-gear",
    )
    app.context_processor(banner)
    app.register_blueprint(health)
