"""Test how the cells of a list are drawn."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.crud.table import kind_of, shown


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (12, "num"),
        (Decimal("5.000"), "num"),
        (date(2026, 3, 5), "when"),
        (datetime(2026, 3, 5, 8, 0, tzinfo=UTC), "when"),
        ("修仁镇", "short"),
        ("蒲芦瑶族乡致远中心小学", "mid"),
        ("从学籍系统导出学生人数，与在校学生总数比对是否相符", "long"),
        (True, "short"),
        (None, "short"),
    ],
)
def test_a_cell_behaves_like_what_it_holds(app: Any, value: Any, kind: str) -> None:
    with app.test_request_context():
        assert kind_of(value, shown(value)) == kind


@pytest.mark.parametrize(
    ("value", "text"),
    [(Decimal("5.000"), "5"), (Decimal("30.50"), "30.5"), (Decimal(100), "100"), (7, "7")],
)
def test_a_number_is_shown_without_idle_zeros(value: Any, text: str) -> None:
    assert shown(value) == text
