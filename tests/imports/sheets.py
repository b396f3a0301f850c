"""Write the files of the tests: rosters as the enrolment system gives them, and broken ones."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import xlsxwriter

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SURNAMES = "韦覃黄李莫罗梁陆周潘曾单"
GIVEN = "小明丽华强燕芳军伟静敏杰娟涛超秀霞平刚桂英文辉玲"
HEADS = (
    "姓名*", "性别", "★出生日期", "身份证件类型", "身份证件号★", "全国学籍号", "学校名称*", "班级",
    "是否寄宿", "户口所在地", "现住址", "村", "年级", "民族", "国籍", "港澳台侨", "健康状况",
    "政治面貌", "入学方式", "就读方式", "成员1姓名", "成员1关系", "成员1联系电话", "学生来源",
    "备注",
)  # fmt: skip


def id_number(born_on: date, sequence: int) -> str:
    """Return a made-up identity number with a right check digit."""
    body = f"000000{born_on:%Y%m%d}{sequence % 1000:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def roster(
    count: int, schools: Sequence[tuple[str, Sequence[str]]], *, bad: Iterable[int] = ()
) -> list[list[Any]]:
    """Return so many lines of 25 cells; the bad ones have a wrong check digit."""
    made, wrong = random.Random(7), set(bad)
    lines = []
    for at in range(count):
        school, classes = schools[at % len(schools)]
        born = date(2010, 1, 1) + timedelta(days=at // 900 * 7 % 3000)
        number = id_number(born, at % 900)
        if at in wrong:
            number = number[:-1] + ("0" if number[-1] != "0" else "1")
        name = made.choice(SURNAMES) + made.choice(GIVEN) + made.choice(GIVEN)
        lines.append(
            [
                name, "男", f"{born:%Y%m%d}", "居民身份证", number, f"G{number}", school,
                classes[at % len(classes)], "是" if at % 3 else "否", "广西荔浦市修仁镇",
                f"修仁镇第{at % 50}组{at}号", f"第{at % 40}村", "七年级", "汉族", "中国", "否",
                "健康", "群众", "就近入学", "走读", f"家长{at}", "父亲", f"138{at:08d}", "正常入学",
                "",
            ]
        )  # fmt: skip
    return lines


def workbook(
    rows: Iterable[Sequence[Any]], heads: Sequence[str] = HEADS, *, title: str = ""
) -> bytes:
    """Return a workbook with these heads and rows; values keep their types."""
    target = BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_numbers": False}) as book:
        sheet = book.add_worksheet("学生信息")
        days = book.add_format({"num_format": "yyyy-mm-dd"})
        at = 0
        if title:
            sheet.merge_range(0, 0, 0, max(len(heads) - 1, 1), title)
            at = 1
        for line in (heads, *rows):
            for column, value in enumerate(line):
                if isinstance(value, date):
                    sheet.write_datetime(at, column, value, days)
                else:
                    sheet.write(at, column, value)
            at += 1
    return target.getvalue()
