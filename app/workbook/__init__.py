"""Write workbooks: the one place that uses xlsxwriter."""

from __future__ import annotations

from app.workbook.sheet import Column, Head, Sheet
from app.workbook.writer import sheet_name, write

__all__ = ["Column", "Head", "Sheet", "sheet_name", "write"]
