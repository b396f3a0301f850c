"""List everything that can be wrong with a plugin: a fact, its cure and its number."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from flask_babel import lazy_gettext

from app.base import Problem


def N_(text: str) -> str:  # noqa: N802  (gettext's own name for "mark, do not translate yet")
    """Mark a text for the translators."""
    return text


class Entry(NamedTuple):
    """Describe one number of the catalogue."""

    level: Literal["error", "warning"]
    message: str
    hint: str


CATALOGUE: Final[dict[str, Entry]] = {
    "E001": Entry(
        "error",
        N_("The folder has no plugin.toml"),
        N_("Write plugin.toml, or take the folder away"),
    ),
    "E002": Entry(
        "error",
        N_("%(file)s is not valid TOML: %(detail)s"),
        N_("Mend the file at the line that the message names"),
    ),
    "E003": Entry(
        "error",
        N_("%(file)s: %(path)s: %(detail)s"),
        N_("Compare this key with the tables in plugins/README.md"),
    ),
    "E004": Entry(
        "error",
        N_("The plugin calls itself %(name)s, but its folder is %(folder)s"),
        N_("Give the folder and the key name in plugin.toml the same name"),
    ),
    "E005": Entry(
        "error",
        N_("Written for core %(wanted)s; this is %(core)s"),
        N_("Install a version of the plugin for this core, or widen the key core after testing"),
    ),
    "E006": Entry(
        "error",
        N_("Requires the plugin %(required)s, which is missing"),
        N_("Put the folder %(required)s back, or take it out of requires"),
    ),
    "E007": Entry(
        "error",
        N_("Requires the plugin %(required)s, which is broken itself"),
        N_("Mend %(required)s first"),
    ),
    "E008": Entry(
        "error",
        N_("Requires itself through %(required)s"),
        N_("Take one requires out of the circle"),
    ),
    "E009": Entry(
        "error",
        N_("Another folder already brought a plugin of this name: %(other)s"),
        N_("Rename one of the two"),
    ),
    "E010": Entry(
        "error",
        N_("%(module)s cannot be imported: %(detail)s"),
        N_("Mend the module; run flask plugins check to see the traceback"),
    ),
    "E011": Entry(
        "error",
        N_("%(module)s implements a hook that does not exist: %(detail)s"),
        N_("Compare the name with the hooks in plugins/README.md"),
    ),
    "E012": Entry(
        "error",
        N_("%(module)s implements a hook with an argument it does not have: %(detail)s"),
        N_("Take only the arguments that plugins/README.md gives for the hook"),
    ),
    "E013": Entry(
        "error",
        N_("The hook %(hook)s failed: %(detail)s"),
        N_("Mend the hook; run flask plugins check to see the traceback"),
    ),
    "E014": Entry(
        "error",
        N_("The hook %(hook)s returned %(found)s where %(wanted)s is expected"),
        N_("Return a list of the values that plugins/README.md names for the hook"),
    ),
    "E015": Entry(
        "error",
        N_("%(module)s imports %(imported)s"),
        N_("Import from app.kit only; nothing else of the product is promised to stay"),
    ),
    "E020": Entry(
        "error",
        N_("Item %(item)s has the unknown kind %(kind)s"),
        N_("Use one of: %(known)s"),
    ),
    "E021": Entry(
        "error",
        N_("Version %(version)s of checklist %(key)s has records and was changed"),
        N_("Set version = %(next)s in checklist.toml; the old version stays as it was"),
    ),
    "E022": Entry(
        "error",
        N_("Item %(item)s was %(before)s and is now %(after)s: a key keeps its kind for ever"),
        N_("Give the new item a new key and leave the old one out"),
    ),
    "E023": Entry(
        "error",
        N_("The checklist %(key)s is already brought by %(other)s"),
        N_("Give the checklist another key"),
    ),
    "E024": Entry(
        "error",
        N_("The inspection uses the checklist %(key)s, which nobody brings"),
        N_("Bring checklist.toml with this key, or name the plugin that has it in requires"),
    ),
    "E025": Entry(
        "error",
        N_("The cadence asks for %(name)s, which neither schools nor classes have"),
        N_("Use a column of flask plugins tables school or school_class"),
    ),
    "E026": Entry(
        "error",
        N_("policy.toml names the file %(file)s, which the folder does not have"),
        N_("Put the full wording into this file, inside the folder, or take out text_file"),
    ),
    "E030": Entry(
        "error",
        N_("The model %(model)s declares no scope"),
        N_("Derive it from Scoped, or from Shared if every signed-in user may read it"),
    ),
    "E031": Entry(
        "error",
        N_("The table %(table)s does not begin with %(prefix)s"),
        N_("Set __tablename__ to a name that begins with %(prefix)s"),
    ),
    "E032": Entry(
        "error",
        N_("The table %(table)s exists already"),
        N_("Give the table another name; FAB would merge the two in silence"),
    ),
    "E033": Entry(
        "error",
        N_("The models cannot be mapped: %(detail)s"),
        N_("Mend the relationship or column that the message names"),
    ),
    "E034": Entry(
        "error",
        N_("The table %(table)s points to %(target)s, which is not a table of the core"),
        N_("Refer to core tables only; ask the other plugin through keys"),
    ),
    "E035": Entry(
        "error",
        N_("%(model)s.%(relation)s adds an attribute to the core class %(target)s"),
        N_("Leave out backref and back_populates towards core classes"),
    ),
    "E036": Entry(
        "error",
        N_("The tables are not migrated: %(detail)s"),
        N_("Run flask deploy; if the models changed, flask plugins revision %(name)s first"),
    ),
    "E037": Entry(
        "error",
        N_("The migration failed: %(detail)s"),
        N_("Mend the revision in migrations/ and run flask deploy again"),
    ),
    "E038": Entry(
        "error",
        N_("The model %(model)s is not built on plugin_base"),
        N_('Derive it from plugin_base("%(name)s")'),
    ),
    "E041": Entry(
        "error",
        N_("The column %(table)s.%(column)s bears a name that forms use themselves"),
        N_("Rename the column; forbidden are: %(names)s"),
    ),
    "E050": Entry(
        "error",
        N_("The select of rule %(rule)s fails: %(detail)s"),
        N_("Mend the select; run flask rules run --rule %(rule)s to try it"),
    ),
    "E051": Entry(
        "error",
        N_("Rule %(rule)s reads what the database does not have: %(detail)s"),
        N_("Correct the name of the table or column"),
    ),
    "E052": Entry(
        "error",
        N_("The rule key %(rule)s is taken or does not begin with %(prefix)s"),
        N_("Write the key as %(prefix)s<noun_phrase>, once"),
    ),
    "E053": Entry(
        "error",
        N_("Rule %(rule)s returns the columns %(found)s"),
        N_("Return exactly %(wanted)s, in this order"),
    ),
    "E054": Entry(
        "error",
        N_("Rule %(rule)s: %(argument)s is “%(found)s”"),
        N_("Use one of: %(known)s"),
    ),
    "E055": Entry(
        "error",
        N_("Rule %(rule)s failed in its last run: %(detail)s"),
        N_("Mend the select, restart, and run flask rules run --rule %(rule)s"),
    ),
    "E056": Entry(
        "error",
        N_("Rule %(rule)s asks for the parameter %(parameter)s, which nobody declares"),
        N_("Declare [parameters.%(parameter)s] in plugin.toml"),
    ),
    "E057": Entry(
        "error",
        N_("The section %(key)s of bulletin %(bulletin)s fails: %(detail)s"),
        N_("Mend the section's select"),
    ),
    "E058": Entry(
        "error",
        N_("The %(noun)s %(key)s is already brought by %(other)s"),
        N_("Give it another key"),
    ),
    "E059": Entry(
        "error",
        N_("The opening %(opening)s of a ledger cannot be used: %(detail)s"),
        N_("Return child_id, since, observed; begin keys with the plugin's name"),
    ),
    "E060": Entry(
        "error",
        N_("The view %(view)s cannot be built: %(detail)s"),
        N_("Mend the class in views.py; run flask plugins check to see the traceback"),
    ),
    "E061": Entry(
        "error",
        N_("The view %(view)s uses a name or route that is taken: %(taken)s"),
        N_("Rename the class or set another route_base"),
    ),
    "E062": Entry(
        "error",
        N_("The page %(view)s raised an error: %(detail)s"),
        N_("Mend the view, run flask deploy and restart; the log says more"),
    ),
    "E063": Entry(
        "error",
        N_("The panel %(panel)s raised an error: %(detail)s"),
        N_("Mend what the panel reads, run flask deploy and restart; the log says more"),
    ),
    "E064": Entry(
        "error",
        N_("The panel key %(panel)s does not begin with %(prefix)s"),
        N_("Write the key as %(prefix)s<name>"),
    ),
    "E065": Entry(
        "error",
        N_("The kind of due things or ladder %(key)s cannot be used: %(detail)s"),
        N_(
            "Compare it with “Things to do” in plugins/README.md; begin keys with the plugin's name"
        ),
    ),
    "E070": Entry(
        "error",
        N_("The plugin names the unknown role %(role)s"),
        N_("Use one of: %(known)s"),
    ),
    "E071": Entry(
        "error",
        N_("The grants name the view %(view)s, which the plugin does not have"),
        N_("Write the class name of a view that views() returns"),
    ),
    "E090": Entry(
        "error",
        N_("The plugin failed at stage %(stage)s: %(detail)s"),
        N_("Run flask plugins check to see the traceback"),
    ),
    "W091": Entry(
        "warning",
        N_("Not deployed yet in this version"),
        N_("Run flask deploy"),
    ),
    "W093": Entry(
        "warning",
        N_("The value of %(key)s from %(day)s on differs from the one in force, which stays"),
        N_("Add a value with a later day; a deployed value is never edited"),
    ),
    "W092": Entry(
        "warning",
        N_("The folder was here at the last deployment and is gone; its records stay readable"),
        N_("Put the folder back, or leave it so"),
    ),
    "W094": Entry(
        "warning",
        N_("%(file)s translates what nothing in the folder says: %(texts)s"),
        N_("Take these texts out of the file; they belong to the core or to another plugin"),
    ),
    "W095": Entry(
        "warning",
        N_("%(file)s translates texts of the core in another way: %(texts)s"),
        N_("The core's translation is shown: use it, or word the plugin's text differently"),
    ),
}


def problem(number: str, where: str, **facts: object) -> Problem:
    """Make the problem of this number; its texts follow the reader's language."""
    entry = CATALOGUE[number]
    return Problem(
        level=entry.level,
        id=number,
        message=lazy_gettext(entry.message, **facts),
        hint=lazy_gettext(entry.hint, **facts),
        where=where,
    )


def brief(error: BaseException) -> str:
    """Say in one line what an exception says."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
