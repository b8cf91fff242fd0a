"""Reports with text that is not valid Unicode reach the main process of pytest-xdist."""

from __future__ import annotations

from encodable_reports import encodable


def test_lone_surrogates_in_reports_are_spelled_out() -> None:
    report = {"longrepr": ["a\ud800b", ("דנה", None, 7)], "\udfff": "🎓"}

    assert encodable(report) == {"longrepr": ["a\\ud800b", ("דנה", None, 7)], "\\udfff": "🎓"}
