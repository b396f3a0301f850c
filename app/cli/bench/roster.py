"""Make the roster whose import is measured: a workbook as the enrolment system gives it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

from app import workbook
from app.imports.value import CHECK_DIGITS, WEIGHTS

HEADS = (
    "姓名*", "性别", "★出生日期", "身份证件类型", "身份证件号★", "全国学籍号", "学校名称*", "班级",
    "是否寄宿", "户口所在地", "现住址", "村", "年级", "民族", "国籍", "港澳台侨", "健康状况",
    "政治面貌", "入学方式", "就读方式", "成员1姓名", "成员1关系", "成员1联系电话", "学生来源",
    "备注",
)  # fmt: skip
SURNAMES = "韦覃黄李莫罗梁陆周潘曾单"
GIVEN = "小明丽华强燕芳军伟静敏杰娟涛超秀霞平刚桂英文辉玲"
BAD = 91
"""Rows with a wrong check digit."""
OF_A_DAY = 999
FIRST_BIRTH = date(2010, 1, 1)


def write_roster(path: Path, rows: int, classes: Sequence[tuple[str, str]]) -> int:
    """Write so many children into some (school, class), and return how many rows are bad."""
    made = Random(7)  # noqa: S311  # the same file each time
    bad = set(made.sample(range(rows), min(BAD, rows // 2)))
    fields = [workbook.Field(head) for head in HEADS]
    workbook.write_form(path, "学生信息", fields, _lines(rows, classes, made, bad))
    return len(bad)


def _lines(
    rows: int, classes: Sequence[tuple[str, str]], made: Random, bad: set[int]
) -> Iterator[list[str]]:
    for at in range(rows):
        born = FIRST_BIRTH + timedelta(days=at // OF_A_DAY)
        number = _number(born, at % OF_A_DAY, is_bad=at in bad)
        name = made.choice(SURNAMES) + made.choice(GIVEN) + made.choice(GIVEN)
        school, school_class = classes[at % len(classes)]
        yield [
            *(name, "", f"{born:%Y%m%d}", "居民身份证", number, f"G{number}", school, school_class),
            *("是" if at % 3 else "否", "广西荔浦市修仁镇", f"修仁镇第{at % 50}组{at}号"),
            *(f"第{at % 40}村", "七年级", "汉族", "中国", "否", "健康", "群众", "就近入学", "走读"),
            *(f"家长{at}", "父亲", f"138{at:08d}", "正常入学", ""),
        ]


def _number(born: date, sequence: int, *, is_bad: bool) -> str:
    """Return a made-up identity number; its region does not exist."""
    body = f"000000{born:%Y%m%d}{sequence:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    return body + CHECK_DIGITS[(total + is_bad) % 11]
