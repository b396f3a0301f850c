"""Send the headers that browsers defend users with: content policy, frames, sniffing, caches."""

from __future__ import annotations

from flask import Flask, Response, g, request
from flask_talisman import Talisman
from werkzeug.middleware.proxy_fix import ProxyFix

CONTENT_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
PERMISSIONS = {"camera": "(self)", "geolocation": "()", "microphone": "()", "payment": "()"}


def init_app(app: Flask) -> None:
    """Add the headers to every answer, and believe a proxy only where one is configured."""
    hops: int = app.config["PROXY_HOPS"]
    if hops:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # Flask documents this way
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    is_secure: bool = app.config["SESSION_COOKIE_SECURE"]
    app.after_request(_take_own_policy)  # before Talisman: what is bound first sees answers last
    Talisman(
        app,
        force_https=False,  # the proxy redirects; a health check over plain HTTP must pass
        frame_options="DENY",
        strict_transport_security=is_secure,
        content_security_policy=CONTENT_POLICY,
        content_security_policy_nonce_in=["script-src"],
        permissions_policy=PERMISSIONS,
        referrer_policy="same-origin",
        session_cookie_secure=is_secure,
        session_cookie_samesite=app.config["SESSION_COOKIE_SAMESITE"],
    )
    app.after_request(_forbid_caching)


def set_policy(policy: str) -> None:
    """Let the answer to this request have a content policy of its own, a file's say."""
    g.content_policy = policy


def _take_own_policy(response: Response) -> Response:
    if "content_policy" in g:
        response.headers["Content-Security-Policy"] = g.content_policy
    return response


def _forbid_caching(response: Response) -> Response:
    """Keep pages out of shared browsers' caches; only the static files may stay there."""
    if not (request.endpoint or "").endswith("static"):
        response.headers["Cache-Control"] = "no-store"
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    return response
