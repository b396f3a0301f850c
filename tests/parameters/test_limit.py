"""Keep figures that no calendar and no clock can do out of the parameters."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.models import Parameter, ParameterValue


@pytest.mark.parametrize(
    ("key", "refused", "taken"),
    [
        ("core.daily_close_hour", ("24", "-1"), "17"),
        ("core.rectification_days", ("-1", "99999999"), "20"),
        ("core.rollcall_classes_percent", ("100.5",), "35"),
    ],
)
def test_a_figure_outside_the_limits_of_its_unit_is_refused(login, county, key, refused, taken):
    query = (
        select(ParameterValue)
        .join(Parameter, Parameter.id == ParameterValue.parameter_id)
        .where(Parameter.key == key)
    )
    stored = county.scalar(query)
    administrator = login("system_administrator")
    url = f"/parametervalueview/edit/{stored.id}"

    for figure in refused:
        answer = administrator.submit(url, {"number": figure})
        assert 'id="number-error"' in answer.get_data(as_text=True)
        assert county.scalar(query).number == stored.number

    administrator.submit(url, {"number": taken})
    assert county.scalar(query).number == int(taken)
