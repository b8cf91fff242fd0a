"""Rosters are imported from an emulated Moodle site's web service, over HTTP."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

import moodle_files
from emulator_process import EmulatorProcess
from example_counts import exactly_examples
from import_roster import main
from minimal_lab import minimal_lab
from moodle.client import MoodleAccess, MoodleClient, MoodleError, MoodleRefusal, site_url
from moodle.groups import STAFF_ROLES
from moodle_site import FULL, MOBILE, TEACHER, MoodleServer, MoodleSite, Person, Token
from roster.model import Roster, parse_roster

pytestmark = [pytest.mark.process]

SECRET = "0123456789abcdef0123456789abcdef"
TEACHER_ID, ASSISTANT_ID = 901, 902


def student(id: int, **changes: object) -> Person:
    return replace(Person(id, f"s{id}@uni.example"), **changes)  # type: ignore[arg-type]


def two_teams() -> MoodleSite:
    """Two groups of two students, an empty group, and a teacher as a member of a group."""
    people = [student(1), student(2), student(3), student(4), student(5)]
    people.append(Person(TEACHER_ID, "teacher@uni.example", ("editingteacher",)))
    return MoodleSite(
        people,
        {5012: "Team A & B", 5011: "Team <b>1</b>", 5013: "Empty"},
        {5012: [3, 4], 5011: [1, 2, TEACHER_ID], 5013: []},
        {7: ("Lab teams", [5012, 5013])},
        tokens={SECRET: Token(TEACHER_ID)},
    )


@pytest.fixture(scope="module")
def server() -> Iterator[MoodleServer]:
    with MoodleServer(two_teams()) as server:
        yield server


@pytest.fixture
def site(server: MoodleServer) -> MoodleSite:
    server.site = two_teams()
    return server.site


def invoke(folder: Path, *arguments: str, token: str = SECRET, staff: str = "") -> Result:
    lab = folder / "lab.toml"
    lab.write_text(minimal_lab("[targets.lab]", course='email_domains = ["uni.example"]'), encoding="utf-8")
    environment = {"LAB_CONFIG": str(lab), "MOODLE_TOKEN": token}
    return CliRunner().invoke(main, [*arguments, "--out", str(folder / "r.csv")], env=environment)


@pytest.fixture
def run(server: MoodleServer, tmp_path: Path) -> Callable[..., Result]:
    """Import course 94290 of the site into `r.csv`."""

    def run(*options: str, token: str = SECRET) -> Result:
        return invoke(tmp_path, "--moodle", server.url, "--course", "94290", *options, token=token)

    return run


def refusal(result: Result, server: MoodleServer) -> str:
    """Return the only sentence of a refused import, without the course's name."""
    assert (result.exit_code, result.stdout) == (2, "")
    sentence, nothing = result.stderr.splitlines()
    assert nothing == "Nothing was written."
    place = f"{server.url} course 94290: "
    assert sentence.startswith(place)
    return sentence.removeprefix(place)


def test_groups_have_the_numbers_and_people_of_the_file(site, server, run, tmp_path):
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    assert (tmp_path / "r.csv").read_text() == "\n".join(
        [
            "number,moodle_group_id,moodle_group_name,email,status,account",
            "1,5011,Team 1,s1@uni.example,active,managed",
            "1,5011,Team 1,s2@uni.example,active,managed",
            "2,5012,Team A & B,s3@uni.example,active,managed",
            "2,5012,Team A & B,s4@uni.example,active,managed",
            "3,5013,Empty,,active,",
            "",
        ]
    )
    assert result.stdout.splitlines() == [
        f"{server.url} course 94290: Moodle's web service, 4.1.6 (Build: 20231009)",
        "",
        "First import: 3 groups, 4 students.",
        "",
        "Group numbers, which stay the same for the whole term",
        '  group_01 "Team 1", 2 students',
        '  group_02 "Team A & B", 2 students',
        '  group_03 "Empty", 0 students',
        "",
        "Now: 3 groups with 4 students (1 group without students).",
        "",
        "Left out: 1 member of a group",
        "  group 5011: teacher@uni.example is staff (editingteacher) and therefore not a student.",
        f"Written to {tmp_path / 'r.csv'}.",
    ]


def test_suspended_students_stay_until_they_are_dropped(site, run, tmp_path):
    run()
    site.people[0] = student(1, is_enrolment_active=False)
    site.people[2] = student(3, is_account_suspended=True)
    before = (tmp_path / "r.csv").read_text()
    result = run()
    assert (result.exit_code, result.stderr, (tmp_path / "r.csv").read_text()) == (0, "", before)
    assert "Nothing changed since the last import." in result.stdout
    assert "Suspended in Moodle, but in the roster until --drop-suspended: 2 people" in result.stdout
    assert "  suspended  s1@uni.example (stays in group_01)" in result.stdout

    # They are half of the students, but do not count as missing.
    result = run("--drop-suspended", "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert [entry["email"] for entry in report["left"]] == ["s1@uni.example", "s3@uni.example"]
    assert report["suspended"] == [
        {"email": "s1@uni.example", "group": None},
        {"email": "s3@uni.example", "group": None},
    ]


def test_suspended_students_are_left_out_of_a_first_import(site, run):
    site.people[0] = student(1, is_enrolment_active=False)
    result = run()
    assert "First import: 3 groups, 3 students." in result.stdout
    assert "  group 5011: s1@uni.example is suspended." in result.stdout


def test_names_with_tags_in_the_roster_are_kept(site, run, tmp_path):
    export = tmp_path / "export.csv"
    export.write_text(moodle_files.self_selection(site.teams(without=[TEACHER_ID])), encoding="utf-8")
    invoke(tmp_path, str(export))
    before = (tmp_path / "r.csv").read_text()
    assert "Team <b>1</b>" in before
    assert run().exit_code == 0
    assert (tmp_path / "r.csv").read_text() == before


def test_a_grouping_limits_the_groups(site, run, tmp_path):
    site.groupings[8] = ("Lab teams", [5011])
    site.groupings[9] = ("Project & more", [5011])
    for grouping in ("7", "8", "9"):
        (tmp_path / "r.csv").unlink(missing_ok=True)
        result = run("--grouping", grouping)
        assert result.exit_code == (0 if grouping == "7" else 2), result.output
    assert "contains a tag such as <b>: rename that group" in result.stderr
    assert 'several groupings are named "Lab teams"' in run("--grouping", "Lab teams").stderr
    assert 'choose one by its id with --grouping; there are 7 "Lab teams"' in run("--grouping", "Nobody").stderr


def test_the_mobile_service_is_enough_for_a_teacher(site, run, tmp_path):
    run()
    full = (tmp_path / "r.csv").read_text()
    (tmp_path / "r.csv").unlink()
    site.tokens[SECRET] = Token(TEACHER_ID, MOBILE)
    assert run().exit_code == 0
    assert (tmp_path / "r.csv").read_text() == full


def test_a_token_that_sees_a_part_of_the_course_is_refused(site, server, run):
    site.people.append(Person(ASSISTANT_ID, "assistant@uni.example", ("teacher",)))
    site.members[5012].append(ASSISTANT_ID)
    site.tokens[SECRET] = Token(ASSISTANT_ID, FULL, TEACHER - {"accessallgroups"})
    assert refusal(run(), server).startswith(
        "Moodle shows the token's user 3 people of the course, without 3 of the 6 members of its groups: in a course "
        "with separate groups, the user needs the capability moodle/site:accessallgroups"
    )
    site.tokens[SECRET] = Token(ASSISTANT_ID, MOBILE, TEACHER - {"accessallgroups"})
    needed = "the token's user lacks the capability moodle/site:accessallgroups in the course"
    assert refusal(run(), server).startswith(needed)
    # Without separate groups, the user sees all people.
    site.is_separate = False
    site.tokens[SECRET] = Token(ASSISTANT_ID, FULL, TEACHER - {"accessallgroups"})
    assert run().exit_code == 0


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        (Token(problem="expired"), "Moodle refuses the token: it has expired"),
        (Token(problem="address"), "Moodle refuses the token: it has expired, or is valid only for another IP address"),
        (Token(problem="wsaccessusersuspended"), "the account of the token's user is suspended"),
        (Token(problem="nosuchcode"), 'Moodle refused core_webservice_get_site_info with the error "nosuchcode"'),
        (
            Token(functions=FULL - {"core_user_get_users_by_field"}),
            "the token's service does not contain core_user_",
        ),
        (Token(capabilities=TEACHER - {"managegroups"}), "the token's user lacks the capability moodle/course:manage"),
        (
            Token(capabilities=TEACHER - {"viewparticipants"}),
            "the token's user lacks the capability moodle/course:",
        ),
        (
            Token(capabilities=TEACHER - {"enrolreview"}),
            "the token's user lacks the capability moodle/course:enrolr",
        ),
    ],
)
def test_each_problem_of_a_token_has_a_sentence(site, server, run, token, sentence):
    site.tokens[SECRET] = token
    assert refusal(run(), server).startswith(sentence)


def test_an_expired_token_is_reported_as_unknown_after_its_first_use(site, server, run):
    site.tokens[SECRET] = Token(problem="expired")
    run()
    assert refusal(run(), server).startswith("Moodle does not know the token: it is mistyped, was deleted, or has exp")


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("off", "refuses web services (status 403): an administrator has to switch on"),
        ("maintenance", "Moodle is in maintenance: try again later."),
        ("moved", 'redirects to "moodle.example.ac.il", to which the token is not sent'),
        ("html", "answered core_webservice_get_site_info without JSON"),
        ("context", "the token's user cannot use the course: the user is not enrolled in it, may not see it"),
    ],
)
def test_each_state_of_a_site_has_a_sentence(site, server, run, state, sentence):
    site.state = state
    assert sentence in refusal(run(), server)


def test_a_course_is_found_by_id_number_and_short_name(site, server, tmp_path):
    for course in ("3", "id=3", "94290", "idnumber=94290", "94290-2026w"):
        assert invoke(tmp_path, "--moodle", server.url, "--course", course).exit_code == 0, course
    result = invoke(tmp_path, "--moodle", server.url, "--course", "94291")
    assert 'sees no course with the id, ID number or short name "94291"' in result.stderr
    site.tokens[SECRET] = Token(functions=FULL - {"core_course_get_courses_by_field"})
    assert invoke(tmp_path, "--moodle", server.url, "--course", "3").exit_code == 0
    result = invoke(tmp_path, "--moodle", server.url, "--course", "94290")
    assert "cannot use the course: there is no course with this id, or the user is not" in result.stderr
    result = invoke(tmp_path, "--moodle", server.url, "--course", "94290-2026w")
    assert "the token's service does not contain core_course_get_courses_by_field" in result.stderr


def test_roles_of_the_site_have_to_be_named(site, run):
    site.people[0] = student(1, roles=("tutor",))
    result = run()
    assert 'group 5011: s1@uni.example has the unknown role "tutor": add --student-role tutor' in result.stderr
    assert "First import: 3 groups, 4 students." in run("--student-role", "tutor", "--dry-run").stdout
    assert "First import: 3 groups, 3 students." in run("--staff-role", "tutor", "--dry-run").stdout


def test_a_student_without_a_visible_address_is_a_problem(site, run):
    site.people[0] = student(1, email="")
    assert '5011: "Person 1" has no e-mail address, or none that the token' in run().stderr


def test_the_token_is_only_in_the_body_of_the_requests(site, server, run, tmp_path, caplog):
    caplog.set_level("DEBUG")
    outputs = [run("--json").output, run(token="nosuchtoken").output]
    assert {call["wstoken"] for call in site.calls} == {SECRET, "nosuchtoken"}
    assert all(secret not in text for text in [*outputs, caplog.text] for secret in (SECRET, "nosuchtoken"))
    assert SECRET not in repr(MoodleAccess(server.url, SECRET))
    stored = (tmp_path / "r.csv").read_text() + "".join(outputs)
    assert "an-enrolment-key" not in stored
    assert "a-private-key" not in stored


def test_a_token_file_must_be_private(site, run, tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o644)
    result = run("--token-file", str(file), token="")
    assert f"--token-file {file} is accessible to other users: run chmod 600." in result.stderr
    file.chmod(0o600)
    assert run("--token-file", str(file), token="other").exit_code == 0
    file.write_text(f"{SECRET} and more")
    assert "must contain one token, of letters and digits, and nothing else." in run("--token-file", str(file)).stderr
    assert "there is no token for Moodle: set MOODLE_TOKEN, or use --token-file FILE." in run(token="").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give one of these: EXPORT, --moodle with --course, --from-workspace"),
        (("--moodle", "https://m.example"), "--moodle needs --course"),
        (("--course", "1"), "need --moodle ADDRESS"),
        (("--moodle", "https://m.example", "--course", "1", "--encoding", "cp1255"), "--login-domain need a file"),
    ],
)
def test_options_that_contradict_each_other_are_refused(tmp_path, arguments, message):
    result = invoke(tmp_path, *arguments)
    assert (result.exit_code, message in result.stderr) == (2, True)


@pytest.mark.parametrize(
    "address",
    ["http://m.example", "m.example", "https://a:b@m.example", "https://m.example?wstoken=x", "https://", "https://["],
)
def test_a_token_is_sent_only_to_an_https_address(address):
    with pytest.raises(MoodleError, match="must be the https address of Moodle's front page") as refused:
        site_url(address)
    assert "a:b" not in str(refused.value)
    assert "wstoken" not in str(refused.value)


def test_the_address_of_a_site_may_have_a_path():
    assert site_url(" https://m.example/moodle/ ") == "https://m.example/moodle"
    assert site_url("https://m.example/webservice/rest/server.php") == "https://m.example"


def test_temporary_failures_are_repeated_and_large_answers_refused(site, server):
    pauses: list[float] = []
    client = MoodleClient(MoodleAccess(server.url, SECRET), sleep=pauses.append, max_bytes=1_000_000)
    site.state = "busy"
    assert client.call("core_webservice_get_site_info", {})["userid"] == TEACHER_ID
    assert pauses == [1.0]
    site.state = "closed"
    with pytest.raises(MoodleError, match=r"is in maintenance or overloaded \(status 503\)"):
        client.call("core_webservice_get_site_info", {})
    assert pauses == [1.0, 1.0, 3.0]
    site.state = ""
    server.raw_answer = b"[" + b" " * 1_000_001
    try:
        with pytest.raises(MoodleError, match="with more than 1 MB, which no course needs"):
            client.call("core_webservice_get_site_info", {})
    finally:
        server.raw_answer = None
    with pytest.raises(MoodleRefusal):
        client.call("no_such_function", {})
    gone = MoodleClient(MoodleAccess("http://127.0.0.1:9", SECRET), sleep=pauses.append)
    with pytest.raises(MoodleError, match=r"127\.0\.0\.1:9 does not respond"):
        gone.call("core_webservice_get_site_info", {})


def test_a_server_without_answer_or_trusted_certificate_is_refused(emulator: EmulatorProcess):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client = MoodleClient(MoodleAccess(url, SECRET), timeout=0.1, sleep=lambda _: None)
        with pytest.raises(MoodleError, match=r"does not respond \(timed out\): check --moodle and the network"):
            client.call("core_webservice_get_site_info", {})
    client = MoodleClient(MoodleAccess(emulator.mail_endpoint.rstrip("/"), SECRET))
    with pytest.raises(MoodleError, match="is not trusted"):
        client.call("core_webservice_get_site_info", {})


def test_a_large_course_is_read_page_by_page(site, run):
    site.people += [student(id) for id in range(2000, 3200)]
    assert run().exit_code == 0
    starts = [call["options[1][value]"] for call in site.calls if call.get("options[1][name]") == "limitfrom"]
    assert starts == ["0", "500", "1000", "1500"]


NAMES = ("Team 1", "team 1", "A & B", "R&D <team>", "<b>Bold</b>", "קבוצה 5", "=SUM(A1)", "Tom &amp; Jerry", "A, B")
TOKENS = {
    "admin": Token(1, FULL, TEACHER | {"siteadmin"}),
    "teacher": Token(TEACHER_ID),
    "mobile": Token(TEACHER_ID, MOBILE),
    "assistant": Token(ASSISTANT_ID, FULL, TEACHER - {"accessallgroups"}),
}
ERRORS = ("off", "maintenance", "moved", "html", "context", "expired", "address", "wsaccessusersuspended", "unknown")


def random_course(random: Random) -> MoodleSite:
    """Return a course of any shape: some people are staff or suspended, some in two groups or in none."""
    numbers = random.sample(range(9), random.choice([0, 1, 3, 4, 5, 6, 7]))
    groups = {5000 + number: f"{random.choice(NAMES)} {number}" for number in numbers}
    site = MoodleSite(groups=groups, members={id: [] for id in groups}, is_separate=random.random() < 0.6)
    is_clean = random.random() < 0.8
    for id in range(10, 10 + random.randint(0, 20)):
        kind = random.choice(["student"] * 7 + ["enrolment", "account", "staff"])
        roles = ("editingteacher",) if kind == "staff" else ("student",)
        has_address = is_clean or random.random() < 0.98
        email = f"p{id}@uni.example" if has_address else ""
        site.people.append(Person(id, email, roles, kind != "enrolment", kind == "account"))
        number = (
            random.choice([0, 1, 1, 1, 1, 1]) if is_clean and kind != "staff" else random.choice([0, 1, 1, 1, 1, 2])
        )
        for group in random.sample(sorted(groups), min(number, len(groups))):
            site.members[group].append(id)
    for id, role in ((TEACHER_ID, "editingteacher"), (ASSISTANT_ID, "teacher")):
        site.people.append(Person(id, f"p{id}@uni.example", (role,)))
        if groups and random.random() < 0.5:
            site.members[random.choice(sorted(groups))].append(id)
    ungrouped = random.choice([0, 0, 0, 600])
    site.people += [Person(id, f"p{id}@uni.example") for id in range(3000, 3000 + ungrouped)]
    site.groupings = {1: ("Some", sorted(groups)[::2]), 2: ("None", [])}
    return site


def without_names(roster: Roster) -> list[tuple[object, ...]]:
    return [(group.number, group.moodle_id, group.status, group.members) for group in roster.groups]


@exactly_examples(100)
@given(seed=st.integers(0, 2**32))
def test_a_random_course_gives_its_files_roster_or_a_sentence(tmp_path_factory, server, seed):
    random = Random(seed)
    site, kind = random_course(random), random.choice(sorted(TOKENS))
    grouping, error = random.choice(["", "", "", "1"]), random.choice([*[""] * 30, *ERRORS])
    folder = tmp_path_factory.mktemp("course")
    is_state = error in ("off", "maintenance", "moved", "html", "context")
    token = TOKENS[kind] if is_state or not error else replace(TOKENS[kind], problem=error)
    site.tokens = {} if error == "unknown" else {SECRET: token}
    site.state = error if is_state else ""
    server.site = site
    arguments = ["--moodle", server.url, "--course", "94290", *(["--grouping", grouping] if grouping else [])]
    staff = [person.id for person in site.people if set(person.roles) & STAFF_ROLES]
    suspended = [person.id for person in site.people if person.is_suspended and person.id not in staff]
    only = site.groupings[1][1] if grouping else None

    result = invoke(folder, *arguments)

    assert SECRET not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    people = {person.id: person for person in site.people}
    members = [id for group, ids in site.members.items() if only is None or group in only for id in ids]
    students = [id for id in members if id not in staff and id not in suspended]
    is_cut = kind == "assistant" and site.is_separate and any(not site.sees(token, people[id]) for id in members)
    has_tags = bool(grouping) and any("<" in site.groups[id] for id in only or ())
    obstacles = {
        "an error": bool(error),
        "a part of the people": is_cut,
        "no function for groupings": kind == "mobile" and bool(grouping),
        "a name with a tag": has_tags,
        "no group": not (site.groups if only is None else only),
        "a student in two groups": len(students) > len(set(students)),
        "no address": any(not people[id].email for id in students),
    }
    if any(obstacles.values()):
        assert result.exit_code == 2, obstacles
        assert not (folder / "r.csv").exists()
        assert result.stderr.count("\n") >= 2
        assert "Traceback" not in result.output
        return
    assert result.exit_code == 0, result.stderr
    by_service = parse_roster((folder / "r.csv").read_text(), "r.csv")
    (folder / "r.csv").unlink()
    (folder / "export.csv").write_text(moodle_files.self_selection(site.teams(without=[*staff, *suspended], only=only)))
    assert invoke(folder, str(folder / "export.csv")).exit_code == 0
    by_file = (folder / "r.csv").read_text()
    assert without_names(by_service) == without_names(parse_roster(by_file, "r.csv"))
    # The service changes nothing in the roster of the file, and neither if that contains the suspended students.
    assert (invoke(folder, *arguments).exit_code, (folder / "r.csv").read_text()) == (0, by_file)
    in_groups = [id for id in suspended if id in members]
    if any(members.count(id) > 1 for id in in_groups):
        return
    if any(not people[id].email for id in in_groups):
        return
    (folder / "export.csv").write_text(moodle_files.self_selection(site.teams(without=staff, only=only)))
    assert invoke(folder, str(folder / "export.csv")).exit_code == 0
    with_suspended = (folder / "r.csv").read_text()
    result = invoke(folder, *arguments)
    assert (result.exit_code, (folder / "r.csv").read_text()) == (0, with_suspended), result.stderr
    for id in in_groups:
        assert f"  suspended  {people[id].email} (stays in group_" in result.stdout
    assert os.stat(folder / "r.csv").st_mode & 0o777 == 0o600
