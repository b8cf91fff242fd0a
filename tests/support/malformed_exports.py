"""Unusable export files, with further options and the expected error message."""

from __future__ import annotations

import codecs

import moodle_files
from labkit.formats.roster_file import COLUMNS
from moodle_files import teams

HEADER = ",".join(COLUMNS)
SELF = moodle_files.self_selection(teams(2, 1))
OVERVIEW = moodle_files.overview(teams(2, 1))
CHOICE = moodle_files.choice(teams(2, 1))
ROSTER = f"{HEADER}\n1,71,A,a@uni.example,active,managed\n"
LOGIN = "<!DOCTYPE html>\n<html><head><title>Log in to the site | Moodle</title></head><body>login</body></html>"

MALFORMED: dict[str, tuple[bytes | str, tuple[str, ...], str]] = {
    "an empty file": ("", (), "line 1: the file is empty"),
    "only a byte order mark": (codecs.BOM_UTF8, (), "line 1: the file is empty"),
    "only blank lines": ("\n\r\n  \n", (), "line 1: the file is empty"),
    "only a sep line": ("sep=,\n", (), "line 1: the file contains only a sep= line"),
    "a sep line with a word": ("sep=comma\n" + SELF, (), "line 1: sep= must be followed by one character"),
    "a header only": (
        "\n".join(SELF.splitlines()[:2]),
        (),
        "line 2: the Group self-selection has only a header",
    ),
    "an overview's header only": (
        OVERVIEW.splitlines()[0] + "\n",
        (),
        "line 1: the Groups overview has only a header",
    ),
    "a choice's header only": (CHOICE.splitlines()[0] + "\n", (), "line 1: the Group choice has only a header"),
    "a users.csv's header only": ("user1, user2\n", (), "line 1: the older users.csv has only a header"),
    "a roster's header only": (HEADER + "\n", (), "line 1: the normalised roster has only a header"),
    "a login page": (LOGIN, (), "line 1: the file is a web page (HTML), probably Moodle's login page: log in"),
    "an error page": (
        "<html><body>404</body></html>",
        (),
        "line 1: the file is a web page (HTML), probably a page of Moodle",
    ),
    "XML": ("<?xml version='1.0'?>\n<groups/>", (), "line 1: the file is XML or HTML"),
    "JSON": ('[{"group": "A"}]', (), "line 1: the file is a JSON export, which Moodle breaks"),
    "a workbook": (b"PK\x03\x04\x14\x00\x06\x00\x08\x00", (), "line 1: the workbook is damaged or incomplete"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", (), "line 1: the file is an old workbook (.xls)"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3", (), "line 1: the file is a PDF"),
    "a compressed file": (b"\x1f\x8b\x08\x00abc", (), "line 1: the file is compressed"),
    "a binary file": (bytes(range(256)) * 8, (), "line 1: the file is binary"),
    "a NUL byte": (SELF.replace("Team 2", "Te\0am").encode(), (), "line 4: there is a NUL byte"),
    "UTF-16 without a mark": (
        SELF.encode("utf-16-le"),
        (),
        "line 1: the file looks like UTF-16 without a byte order mark",
    ),
    "Hebrew of Windows": (SELF.replace("Team 2", "צוות").encode("cp1255"), (), "line 4: not valid UTF-8 (byte 0xf6)"),
    "an unknown encoding": (SELF, ("--encoding", "klingon"), "line 1: --encoding klingon is not a text encoding"),
    "an encoding that is not the file's": (b"user1\n\xff", ("--encoding", "ascii"), "line 2: not valid ascii"),
    "a quotation that never ends": (SELF.replace('"Team 2"', '"Team 2'), (), "line 4: "),
    "a download that broke off": (SELF[: SELF.index("s1.0@")], (), "line 4: a quoted cell that starts here is never"),
    "text after a quotation": (SELF.replace('"Team 1"', '"Team 1"x'), (), "line 3: unbalanced quotation marks"),
    "a shopping list": ("milk,eggs\n2,12\n", (), "line 1: the file is not a known export"),
    "prose": ("Dear all,\nplease find the groups below.\n", (), "line 1: the file is not a known export"),
    "participants": (
        "First name,Last name,Email address\nA,B,a@uni.example\n",
        (),
        'line 1: column "Email address" holds',
    ),
    "an overview without addresses": (
        "Grouping,Gruppe,Vorname\nL,A,B\n",
        (),
        "line 1: the file has groups, but no column with addresses",
    ),
    "a column that is not there": (OVERVIEW, ("--column", 'email="Post"'), 'line 1: no column is named "Post"'),
    "a member column that is not there": (
        SELF,
        ("--column", "email=Post"),
        'line 2: there is no column "Member 1 post"',
    ),
    "several columns of addresses": ("Group,A,B\nG,a@uni.example,a@u.example\n", (), "line 1: several columns hold"),
    "not an address": (
        SELF.replace("s1.0@uni.example", "s1.0@"),
        (),
        'line 4: "Member 1 Email" is not an e-mail address: "s1.0@"',
    ),
    "two addresses in a cell": (
        OVERVIEW.replace("s1.0@", "x@uni.example;s1.0@"),
        (),
        'line 4: "Email address" is not an',
    ),
    "an address with a space": (
        "user1\ns 1@uni.example\n",
        (),
        'line 2: "user1" is not an e-mail address: "s 1@uni.example"',
    ),
    "an address that is a template": ("user1\n${x}@uni.example\n", (), 'line 2: "user1" is not an e-mail address'),
    "an address with an escape": (
        "user1\n\x1b[2Jx@uni.example\n",
        (),
        r'is not an e-mail address: "\x1b[2Jx@uni.example"',
    ),
    "a member without address": (SELF.replace('"s1.0@uni.example"', '""'), (), "line 4: member 1 has a name but"),
    "a student without address": (OVERVIEW.replace("s1.0@uni.example", ""), (), "line 4: a student of group"),
    "a group id that is no number": (SELF.replace('"72"', '"7.2E+01"'), (), 'line 4: "Group ID" must be a number'),
    "a group without id": (SELF.replace('"72"', '""'), (), 'line 4: "Group ID" must be a number, not ""'),
    "a group id twice": (SELF.replace('"72"', '"71"'), (), "line 4: Group ID 71 is already on line 3"),
    "a size that is too large": (
        SELF.replace('"Team 2","1"', '"Team 2","3"'),
        (),
        'line 4: "Group Size" of "Team 2" is "3"',
    ),
    "a size that is no number": (
        SELF.replace('"Team 2","1"', '"Team 2","one"'),
        (),
        'line 4: "Group Size" of "Team 2"',
    ),
    "a student in two groups": (
        SELF.replace("s1.0@", "s0.1@"),
        (),
        'line 4: s0.1@uni.example is in "Team 2" and, on line 3',
    ),
    "a student in two groups, spelled otherwise": (
        OVERVIEW.replace("s1.0@", "S0.1@"),
        (),
        "line 4: s0.1@uni.example is in",
    ),
    "a student twice in a group": (
        SELF.replace("s0.1@", "S0.0@"),
        (),
        "line 3: s0.0@uni.example is listed twice in this group",
    ),
    "a student in two groups of a choice": (CHOICE.replace("\tTeam 2\t", "\tTeam 1, Team 2\t"), (), "is in 2 groups"),
    "a student twice in users.csv": (
        "user1,user2\na@uni.example,A@uni.example\n",
        (),
        "line 2: a@uni.example is listed twice",
    ),
    "a group that is too large": (moodle_files.self_selection(teams(2, 7)), (), 'line 4: "Team 2" has 7 members'),
    "an unknown label": (moodle_files.overview(teams(7)), (), 'add --no-group "Team 1"'),
    "too many groups to pin": (
        moodle_files.self_selection(teams(*[1] * 101)),
        (),
        "line 103: 101 groups; a workspace pins",
    ),
    "a roster with an invalid number": (
        ROSTER.replace("1,71", "one,71"),
        (),
        "line 2: number must be a whole number",
    ),
    "a roster with too few cells": (ROSTER + "2,72\n", (), "line 3: 2 cells; a roster has 6"),
    "a roster with an unknown status": (
        ROSTER.replace("active", "here"),
        (),
        "line 2: status must be active or retired",
    ),
    "a roster with an unknown account": (ROSTER.replace("managed", "mine"), (), "line 2: account must be managed or"),
    "a roster with a student twice": (
        ROSTER + "2,,B,a@uni.example,active,managed\n",
        (),
        "line 3: a@uni.example is already on",
    ),
}
