"""Name the keys of the plugin's columns in words."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from app.kit import _l

DISABILITIES: Final = MappingProxyType(
    {
        "visual": _l("Visual disability"),
        "hearing": _l("Hearing disability"),
        "speech": _l("Speech disability"),
        "physical": _l("Physical disability"),
        "intellectual": _l("Intellectual disability"),
        "mental": _l("Mental disability"),
        "multiple": _l("Multiple disabilities"),
    }
)
LEVELS: Final = MappingProxyType(
    {
        "1": _l("Level 1"),
        "2": _l("Level 2"),
        "3": _l("Level 3"),
        "4": _l("Level 4"),
        "undetermined": _l("No level yet"),
    }
)
PLACEMENTS: Final = MappingProxyType(
    {
        "regular_class": _l("In a regular class"),
        "special_class": _l("In a special class"),
        "special_school": _l("At a special school"),
        "home": _l("Taught at home"),
        "institution": _l("At a welfare or rehabilitation institution"),
    }
)
UNABLE: Final = "unable"
DETERMINATIONS: Final = MappingProxyType(
    {
        UNABLE: _l("Cannot learn at a school"),
        "able": _l("Can learn at a school"),
        "pending": _l("Not determined yet"),
    }
)
END_REASONS: Final = MappingProxyType(
    {
        "to_school": _l("Learns at a school now"),
        "moved": _l("Moved away"),
        "finished": _l("Compulsory education is finished"),
        "deceased": _l("Deceased"),
        "other": _l("Other reason"),
    }
)
EXCUSES: Final = MappingProxyType(
    {
        "hospital": _l("In hospital"),
        "away": _l("Away from home"),
        "refused": _l("The guardian refuses in writing"),
    }
)
REQUESTED, APPROVED, REFUSED = "requested", "approved", "refused"
STATES: Final = MappingProxyType(
    {
        REQUESTED: _l("Waits for the township"),
        APPROVED: _l("Approved by the township"),
        REFUSED: _l("Not approved by the township"),
    }
)
PAPERS: Final = MappingProxyType(
    {
        "basic_form": _l("Basic form of the child"),
        "assessment_form": _l("Assessment check form"),
        "appraisal_form": _l("Appraisal application form"),
        "plan": _l("Individual case plan"),
        "certificate": _l("Copy of the disability certificate"),
        "diagnosis": _l("Diagnosis of a hospital"),
        "certificate_application": _l("Application for a disability certificate"),
        "guardian_opinion": _l("Opinion of the guardian"),
    }
)
