"""Calendar files in the shapes in which Google Calendar, Outlook, Apple Calendar and Moodle export them."""

from __future__ import annotations

PEOPLE = (
    "ORGANIZER;CN=Dana Teacher:mailto:dana@campus.example.ac.il\n"
    "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=noa@campus.example.ac.il;X-NUM-GUESTS=0:mailto:noa@\n"
    " campus.example.ac.il\n"
    "LOCATION:Room 7\\, Main Street 1\n"
    "DESCRIPTION:Join at https://meet.example/abc-secret\n"
)
ZONE = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:DAYLIGHT
TZOFFSETFROM:+0200
TZOFFSETTO:+0300
TZNAME:IDT
DTSTART:19700327T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1FR
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0300
TZOFFSETTO:+0200
TZNAME:IST
DTSTART:19701025T020000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""


def calendar(*parts: str, head: str = "PRODID:-//Example//EN\n") -> bytes:
    """Return a calendar file with these properties and components, with the line ends of RFC 5545."""
    text = f"BEGIN:VCALENDAR\n{head}VERSION:2.0\n{''.join(parts)}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


def event(uid: str, *lines: str, title: str = "Lecture") -> str:
    body = "".join(f"{line}\n" for line in lines)
    return f"BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20261001T080000Z\n{body}{PEOPLE}SUMMARY:{title}\nEND:VEVENT\n"


def google() -> bytes:
    """A weekly lecture across the end of summer time with one date left out and one moved, a holiday of two days, a
    cancelled lecture and an exam in UTC.
    """
    zone = "DTSTART;TZID=Asia/Jerusalem:20261019T100000"
    return calendar(
        ZONE.format(name="Asia/Jerusalem"),
        event(
            "a@google.com",
            zone,
            "DTEND;TZID=Asia/Jerusalem:20261019T120000",
            "RRULE:FREQ=WEEKLY;UNTIL=20261116T215959Z;BYDAY=MO",
            "EXDATE;TZID=Asia/Jerusalem:20261102T100000",
        ),
        event(
            "a@google.com",
            "DTSTART;TZID=Asia/Jerusalem:20261110T140000",
            "DTEND;TZID=Asia/Jerusalem:20261110T160000",
            "RECURRENCE-ID;TZID=Asia/Jerusalem:20261109T100000",
        ),
        event("b@google.com", "DTSTART;VALUE=DATE:20261206", "DTEND;VALUE=DATE:20261208", title="Hanukkah"),
        event("c@google.com", "DTSTART:20261122T080000Z", "DTEND:20261122T100000Z", "STATUS:CANCELLED"),
        event("d@google.com", "DTSTART:20270120T220000Z", "DTEND:20270121T010000Z", title="Exam A"),
        event("e@google.com", "DTSTART:20261103T080000Z", "DTEND:20261103T090000Z", title="Staff lunch"),
        head="PRODID:-//Google Inc//Google Calendar 70.9054//EN\nCALSCALE:GREGORIAN\nMETHOD:PUBLISH\n"
        "X-WR-CALNAME:Course\nX-WR-TIMEZONE:Asia/Jerusalem\n",
    )


def outlook() -> bytes:
    """Windows' name of the zone, categories, a byte order mark, and an evening lecture past midnight."""
    windows = "Israel Standard Time"
    text = calendar(
        ZONE.format(name=windows),
        event(
            "040000008200E00074C5B7101A82E008",
            f'DTSTART;TZID="{windows}":20261020T220000',
            f'DTEND;TZID="{windows}":20261021T003000',
            "RRULE:FREQ=WEEKLY;COUNT=2;BYDAY=TU",
            "CATEGORIES:Teaching,Blue category",
            "X-MICROSOFT-CDO-BUSYSTATUS:BUSY",
            title="Seminar",
        ),
        event(
            "040000008200E00074C5B7101A82E009",
            "DTSTART;VALUE=DATE:20261224",
            "DTEND;VALUE=DATE:20261225",
            "CATEGORIES:Maintenance",
            "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
            title="No clusters",
        ),
        head="METHOD:PUBLISH\nPRODID:Microsoft Exchange Server 2010\n",
    )
    return b"\xef\xbb\xbf" + text


def apple() -> bytes:
    """Alarms, a lecture of two days, and a time without a zone."""
    alarm = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nDESCRIPTION:Soon\nEND:VALARM"
    return calendar(
        ZONE.format(name="Asia/Jerusalem"),
        event(
            "B5C7",
            "DTSTART;TZID=Asia/Jerusalem:20261025T180000",
            "DTEND;TZID=Asia/Jerusalem:20261027T090000",
            "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC",
            alarm,
            title="Lecture: hackathon",
        ),
        event("B5C8", "DTSTART:20261101T090000", "DURATION:PT90M", title="lecture (floating)"),
        head="CALSCALE:GREGORIAN\nPRODID:-//Apple Inc.//macOS 15.1//EN\n",
    )


def moodle() -> bytes:
    """Times in UTC, the course as category, and a deadline without a duration."""
    return calendar(
        event(
            "101@moodle.example.ac.il",
            "CLASS:PUBLIC",
            "LAST-MODIFIED:20261001T080000Z",
            "DTSTART:20261109T080000Z",
            "DTEND:20261109T100000Z",
            "CATEGORIES:94290",
            title="Class session",
        ),
        event(
            "102@moodle.example.ac.il",
            "DTSTART:20261130T215900Z",
            "DTEND:20261130T215900Z",
            "CATEGORIES:94290",
            title="Exercise 3 is due",
        ),
        head="METHOD:PUBLISH\nPRODID:-//Moodle Pty Ltd//NONSGML Moodle Version 2024100700//EN\n",
    )
