"""Components of a scan on Spark: distribution of folders, request rates, serialization, and error messages."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator_process import ROOT
from example_counts import exactly_examples
from inventory.results.folder_summary import FolderSummary, summarize
from inventory.scan.visit import Visit
from inventory.spark import serialization, session
from inventory.spark.address import AddressError, ServerAddress, cluster_address, parse_remote, serverless_address
from inventory.spark.errors import ServerLabel, SessionLost, SparkError, translate_error
from inventory.spark.local_server import LocalServer
from inventory.spark.rate_share import RateBudget, RateShare
from inventory.spark.work_queue import WorkQueue
from inventory.spark.worker import TaskSpec, task_function
from inventory.transport.limiter import Limiter
from inventory.tree.folder_queue import FolderQueue
from inventory.tree.listing import SOURCES, Failure, File, Folder, Listing

DANA, CAROL = "dana@x.org", "carol@x.org"
HOMES = [Folder(user, source, f"/Users/{user}") for user in (DANA, CAROL) for source in SOURCES]
PLACE = ServerLabel("cluster 7", ["dapi-secret"])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SIZES = st.none() | st.integers(0, 2**50)


@st.composite
def visits(draw: st.DrawFn) -> Visit:
    folder = Folder(draw(TEXT), draw(st.sampled_from(SOURCES)), f"/Users/{draw(TEXT)}")
    names = draw(st.lists(TEXT, max_size=3, unique=True))
    file = st.builds(File, TEXT, TEXT, SIZES, st.none() | st.integers(0, 2**45), TEXT, SIZES)
    found = draw(
        st.builds(Failure, TEXT, TEXT, st.booleans())
        | st.builds(Listing, st.just(tuple(names)), st.lists(file, max_size=3).map(tuple))
    )
    return Visit(folder, found, draw(st.integers(0, 9)), draw(st.integers(0, 9)), draw(st.floats(0, 9)))


@given(visits())
def test_a_visit_is_decoded_as_it_was_encoded(visit):
    assert serialization.parse_line(serialization.visit_line(visit, with_files=True)) == visit


@given(visits())
def test_a_visit_without_files_is_decoded_as_a_summary(visit):
    found = serialization.parse_line(serialization.visit_line(visit, with_files=False))
    assert isinstance(found, Visit)
    expected = summarize(visit.folder.source, visit.result) if isinstance(visit.result, Listing) else visit.result
    assert (found.folder, found.result, found.seconds) == (visit.folder, expected, visit.seconds)


def test_the_end_of_a_task_is_decoded_as_it_was_encoded():
    end = serialization.TaskEnd({"dbfs": 3}, {"dbfs": 1}, {"dbfs": 14.5})
    assert serialization.parse_line(serialization.task_end_line(end)) == end


Tree = dict[Folder, tuple[Folder, ...]]


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Folder → subfolders."""
    tree: Tree = {home: () for home in HOMES}
    for number in range(draw(st.integers(0, 25))):
        above = draw(st.sampled_from(sorted(tree, key=lambda folder: folder.key)))
        below = Folder(above.user, above.source, f"{above.path}/{number}")
        tree[above] += (below,)
        tree[below] = ()
    return tree


@given(trees(), st.integers(0, 2**32), st.integers(1, 4))
@exactly_examples(60)
def test_every_folder_is_listed_once_regardless_of_how_tasks_end(tree, seed, slots):
    """Tasks end at any time and in any order, some without results."""
    chance = random.Random(seed)
    deal = WorkQueue(walk := FolderQueue(HOMES), SOURCES, {home.key for home in HOMES})
    flights: list[tuple[Folder, ...]] = []
    seen: list[Folder] = []
    for _ in range(2000):
        while len(flights) < slots and len(deal):
            flights.append(deal.next_units(min(slots - len(flights), len(deal))))
            assert flights[-1]
        if not flights:
            break
        units = flights.pop(chance.randrange(len(flights)))
        if chance.random() < 0.2:
            deal.requeue(units)
            continue
        done = performed(tree, units, deal.is_recursive(units), chance.randrange(1, 8))
        seen += [visit.folder for visit in done]
        deal.complete(units, done)

    assert sorted(seen, key=lambda folder: folder.key) == sorted(tree, key=lambda folder: folder.key)
    assert (len(deal), len(walk), walk.open_folders) == (0, 0, {})


def performed(tree: Tree, units: tuple[Folder, ...], deep: bool, most: int) -> list[Visit]:
    """Return the results of a task that ends after this many folders."""
    walk = FolderQueue(units, recursive=deep)
    found: list[Visit] = []
    while len(found) < most and (folder := walk.next_folder()):
        listing = Listing(tuple(below.path for below in tree[folder]))
        walk.complete(folder, listing)
        found.append(Visit(folder, listing))
    return found


def test_a_home_s_subfolders_are_listed_before_it_is_divided_among_tasks():
    deal = WorkQueue(FolderQueue(HOMES), SOURCES, {home.key for home in HOMES})
    units = deal.next_units(1)
    assert (sorted(unit.key for unit in units), deal.is_recursive(units)) == (sorted(home.key for home in HOMES), False)

    below = tuple(f"/Users/{DANA}/{number}" for number in range(6))
    deal.complete(units, [Visit(unit, Listing(below if unit == HOMES[1] else ())) for unit in units])

    first, second = deal.next_units(2), deal.next_units(1)
    assert ([len(first), len(second)], {unit.path for unit in (*first, *second)}) == ([3, 3], set(below))
    assert deal.is_recursive(first)


@given(st.floats(1, 500), st.lists(st.integers(1, 6), max_size=30), st.randoms(use_true_random=False))
def test_all_shares_together_stay_below_the_ceiling(ceiling, waves, chance):
    budget = RateBudget(ceiling)
    lent: list[RateShare] = []
    for tasks in waves:
        for left in range(min(tasks, 8 - len(lent)), 0, -1):
            lent.append(budget.lend(left))
        assert sum(share.ceiling for share in lent) <= ceiling * 1.01
        assert all(share.rate <= share.ceiling for share in lent)
        while lent and chance.random() < 0.7:
            share = lent.pop(chance.randrange(len(lent)))
            budget.release(share, requests=5, rate_limited=chance.randrange(2), rate=chance.uniform(0, share.ceiling))


def test_tasks_together_find_an_api_s_limit_and_stay_within_it():
    """Rounds of two tasks, each for five seconds, with a limit of 30 requests per second."""
    budget = RateBudget()
    sent = refused = 0
    times: deque[float] = deque()
    for wave in range(12):
        shares = [budget.lend(2), budget.lend(1)]
        limiters = [share.limiter() for share in shares]
        numbers = [[0, 0], [0, 0]]
        begin = wave * 5.0
        ready = [begin, begin]
        while min(ready) < begin + 5:
            which = ready.index(min(ready))
            now = ready[which]
            if wait := limiters[which].acquire(now):
                ready[which] = now + max(wait, 1e-6)
                continue
            while times and times[0] <= now - 1:
                times.popleft()
            allowed = len(times) < 30
            answered(limiters[which], now, allowed)
            numbers[which][0] += 1
            numbers[which][1] += not allowed
            if allowed:
                times.append(now)
            if wave > 3:
                sent, refused = sent + 1, refused + (not allowed)
        for share, limiter, (requests, refusals) in zip(shares, limiters, numbers, strict=True):
            budget.release(share, requests=requests, rate_limited=refusals, rate=limiter.rate)

    assert 24 <= budget.rate <= 33
    assert sent >= 0.85 * 30 * 5 * 8
    assert refused < 0.03 * sent


def answered(limiter: Limiter, now: float, allowed: bool) -> None:
    if allowed:
        limiter.record_success(now)
    else:
        limiter.record_rate_limit(now, sent_at=now)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("local[4]", ServerAddress("the Spark server of this scan (local[4])", master="local[4]")),
        ("sc://spark.x.org", ServerAddress("the Spark server spark.x.org:15002", url="sc://spark.x.org:15002/")),
        (
            "sc://localhost:9/;token=a%2Bb;user_id=dana",
            ServerAddress("the Spark server localhost:9", url="sc://localhost:9/;user_id=dana", token="a+b"),
        ),
        (
            "sc://x.org:443/;token=dapi1;x-databricks-cluster-id=7",
            ServerAddress(
                "the Spark server x.org:443",
                url="sc://x.org:443/;x-databricks-cluster-id=7;use_ssl=true",
                token="dapi1",
            ),
        ),
    ],
)
def test_an_address_is_parsed_without_its_token(text, expected):
    found = parse_remote(text)
    assert found == expected
    assert "dapi1" not in f"{found!r}{found.url}{found.name}"


@pytest.mark.parametrize(
    "text", ["http://x.org", "x.org:15002", "sc://", "sc://x.org:port", "local[x]", "sc://x.org/;dapi-secret"]
)
def test_an_invalid_address_is_rejected_without_showing_a_token(text):
    with pytest.raises(AddressError, match="expected sc://HOST:PORT") as refused:
        parse_remote(text)
    assert "dapi-secret" not in str(refused.value)


def test_a_cluster_and_serverless_compute_have_addresses_without_a_token():
    assert cluster_address("https://adb-1.azuredatabricks.net", "1018-120000-abcd").url == (
        "sc://adb-1.azuredatabricks.net:443/;use_ssl=true;x-databricks-cluster-id=1018-120000-abcd"
    )
    assert serverless_address("https://adb-1.azuredatabricks.net", "a-b").url == (
        "sc://adb-1.azuredatabricks.net:443/;use_ssl=true;x-databricks-session-id=a-b"
    )
    with pytest.raises(AddressError, match="is not a cluster id"):
        cluster_address("https://x", "7;token=1")


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (
            RuntimeError(
                "[PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.12 than that in driver: 3.11,"
                " PySpark cannot run with different minor versions."
            ),
            SparkError,
            "cluster 7 runs Python 3.12 and this is Python 3.11, but both need the same minor version: start this"
            " program with Python 3.12, or choose a cluster whose runtime has Python 3.11.",
        ),
        (ModuleNotFoundError("No module named 'grpc'", name="grpc"), SparkError, "(grpc is missing): pip install"),
        (RuntimeError("[INVALID_HANDLE.SESSION_CHANGED] …"), SessionLost, "was lost (INVALID_HANDLE.SESSION_CHANGED)"),
        (RuntimeError("[OPERATION_ABANDONED] Operation …"), SessionLost, "was lost (OPERATION_ABANDONED)"),
        (RuntimeError("StatusCode.UNAVAILABLE … Connection refused"), SessionLost, "cluster 7 cannot be reached"),
        (RuntimeError("[RETRIES_EXCEEDED] The maximum number"), SessionLost, "cluster 7 cannot be reached"),
        (RuntimeError("StatusCode.CANCELLED Stream removed"), SessionLost, "cluster 7 cannot be reached"),
        (RuntimeError("StatusCode.UNAUTHENTICATED dapi-secret"), SparkError, "rejects the credential"),
        (RuntimeError("Cluster 7 is in unexpected state Terminated."), SparkError, "--start-cluster starts it"),
        (
            RuntimeError("[PYTHON] An exception\n  Traceback\n  File x\nKeyError: 'x dapi-secret'\n\tat org.apache"),
            SessionLost,
            "a task on cluster 7 has failed: KeyError: 'x …'",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_error_is_translated_and_shows_whether_a_new_session_may_help(error, kind, sentence):
    found = translate_error(error, PLACE)
    assert (type(found), sentence in str(found), "dapi-secret" in str(found)) == (kind, True, False)


def test_a_server_older_than_the_client_is_rejected():
    with pytest.raises(SparkError, match="runs Spark 3.5.2, but this client .4.0. needs Spark 4.0 or newer"):
        session.check_version("3.5.2", PLACE)
    session.check_version("4.1.0-preview", PLACE)


@pytest.mark.process
def test_the_executors_modules_run_without_an_installation(tmp_path):
    """Spark pickles a task in this process; a different Python unpickles it on an executor."""
    from pyspark import cloudpickle

    (tmp_path / session.module_archive_name()).write_bytes(session.module_archive())
    (tmp_path / "token.json").write_text(json.dumps({"host": "http://127.0.0.1:9", "token": "t"}))
    shares = {source: RateShare(5000, 5000, False) for source in SOURCES}
    (tmp_path / "home/Workspace/Users" / DANA / "a").mkdir(parents=True)
    order = TaskSpec((HOMES[1],), True, 5.0, 100, False, shares, 2, True, "token.json", str(tmp_path / "home"))
    (tmp_path / "task").write_bytes(cloudpickle.dumps(task_function(order)))
    script = (
        "import pickle, sys\n"
        "class Batch:\n"
        "    from_pylist = staticmethod(lambda rows: [row['line'] for row in rows])\n"
        "run = pickle.load(open('task', 'rb'))\n"
        "print('\\n'.join(line for lines in run(iter([Batch()])) for line in lines))\n"
        "strangers = {'databricks', 'requests', 'click', 'peewee', 'pandas', 'pyarrow'} & set(sys.modules)\n"
        "assert not strangers, strangers\n"
    )
    environment = {"PYTHONPATH": session.module_archive_name(), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-P", "-c", script]
    output = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert output.returncode == 0, output.stderr
    *found, end = map(serialization.parse_line, output.stdout.splitlines())
    assert all(isinstance(visit, Visit) for visit in found)
    assert [(visit.folder.path, visit.result) for visit in found if isinstance(visit, Visit)] == [
        (HOMES[1].path, FolderSummary(folders=(f"{HOMES[1].path}/a",))),
        (f"{HOMES[1].path}/a", FolderSummary()),
    ]
    assert isinstance(end, serialization.TaskEnd)


@pytest.mark.process
def test_a_scan_without_spark_does_not_import_it():
    assert (
        imported("inventory.commands.scan, inventory.commands.doctor") & {"pyspark", "pandas", "pyarrow", "grpc"}
        == set()
    )


@pytest.mark.process
def test_a_notebook_needs_only_modules_that_databricks_has():
    assert imported("inventory.notebook") - sys.stdlib_module_names == {"inventory", "labkit", "certifi"}


def imported(modules: str) -> set[str]:
    """Return the top-level packages that these modules import."""
    code = f"import sys; before = set(sys.modules); import {modules}; print(*set(sys.modules) - before)"
    output = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in output.stdout.split()}


@pytest.mark.process
def test_a_local_server_without_java_is_reported(monkeypatch):
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with pytest.raises(SparkError, match="needs Java 17 or 21, which was not found: install it, or set JAVA_HOME"):
        LocalServer("local[1]").ensure_running()
