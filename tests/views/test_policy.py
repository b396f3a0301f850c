"""The screens of parameters: values that are keys are shown in words."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from app.models import Parameter, ParameterValue
from app.views.policy import TEXTS
from tests.conftest import CountyBuilder, Login
from tests.visitor import read


def test_text_of_a_parameter_is_shown_in_words(login: Login, county: CountyBuilder) -> None:
    mode = county.add(Parameter(key="core.mode", title="方式", unit="text"))
    days = county.add(Parameter(key="core.days", title="期限", unit="day"))
    county.add(ParameterValue(parameter_id=mode.id, valid_from=date(2026, 3, 2), text="rolling_14"))
    county.add(ParameterValue(parameter_id=days.id, valid_from=date(2026, 3, 2), number=5))
    office = login("supervision_office")
    value = county.scalar(select(ParameterValue.id).filter_by(parameter_id=mode.id))

    listed = office.get("/parametervalueview/list/?psize_ParameterValueView=100")
    shown = office.get(f"/parametervalueview/show/{value}")

    assert "None" not in read(listed).get_text()
    for page in (listed, shown):
        assert not [key for key in TEXTS if key in page.get_data(as_text=True)]
