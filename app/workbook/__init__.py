"""Write workbooks: the one place that uses xlsxwriter."""

from __future__ import annotations

from app.workbook.form import Field, write_form
from app.workbook.sheet import Column, Head, Sheet
from app.workbook.writer import sheet_name, write

__all__ = ["Column", "Field", "Head", "Sheet", "sheet_name", "write", "write_form"]
