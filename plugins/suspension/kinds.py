"""Name the kinds of suspension 休学 and deferral 缓学, their states and their papers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from app.kit import _l

POLICY: Final = ("policy_suspension", "policy_deferral")
"""What the policy allows under its conditions; the rules judge these two."""
MEDICAL: Final = ("medical_suspension", "medical_deferral")
DEFERRALS: Final = ("policy_deferral", "medical_deferral")
KINDS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "policy_suspension": _l("Suspension by policy"),
        "policy_deferral": _l("Deferral by policy"),
        "medical_suspension": _l("Suspension for illness"),
        "medical_deferral": _l("Deferral for illness"),
    }
)
"""The kinds are also the keys of the statuses that a child takes with the approval."""

APPLIED, CONFIRMED, APPROVED, DECLINED, RENEWED, RETURNED = (
    "applied", "confirmed", "approved", "declined", "renewed", "returned",
)  # fmt: skip
STATES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        APPLIED: _l("Applied for"),
        CONFIRMED: _l("Confirmed by the township"),
        APPROVED: _l("Approved"),
        DECLINED: _l("Not approved"),
        RENEWED: _l("Renewed by another case"),
        RETURNED: _l("Returned to school"),
    }
)
OPEN: Final = (APPLIED, CONFIRMED)

CONSENT, RULING, HOSPITAL = "group_consent", "court_ruling", "hospital_proof"
PROOFS: Final = ("guardian_duty", "refusal")
FORMS: Final = ("determination_form", "parent_application", "school_statement", "case_plan")
PAPERS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "determination_form": _l("Determination form"),
        "parent_application": _l("Application of the parents"),
        "school_statement": _l("Statement of the school"),
        "case_plan": _l("Case plan of the child"),
        "guardian_duty": _l("Proof that the guardian did his duty"),
        "refusal": _l("Proof that the child refuses to return"),
        CONSENT: _l("Consent of the leading group"),
        RULING: _l("Ruling of a court"),
        HOSPITAL: _l("Proof of a hospital"),
    }
)
"""The kinds of papers, in the order of the file of a case."""
NUMBERED: Final = (CONSENT, RULING)
"""Papers of bodies outside: number and day belong to them, and no later day than the approval."""

STILL_AWAY: Final = ("suspected", "pending_determination", "dropped_out", "not_enrolled")
"""Statuses that may follow without the child having come back."""
AFTER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "policy_suspension": "returned",
        "policy_deferral": "returned",
        "medical_suspension": "enrolled",
        "medical_deferral": "enrolled",
    }
)
"""The status that a child takes when it comes back."""


def papers_of(kind: str) -> tuple[str, ...]:
    """Return the kinds of papers that may lie in the file of a case."""
    return (HOSPITAL,) if kind in MEDICAL else tuple(key for key in PAPERS if key != HOSPITAL)
