"""Texts of people that Markdown, a notebook or a template would interpret."""

from __future__ import annotations

from hypothesis import strategies as st

ODD = (
    "# heading", "## MAGIC %sh rm -rf /", "%sh rm -rf /", "%md", "# MAGIC %run ./x", "# COMMAND ----------",
    "[text](https://evil.example)", "![](https://evil.example/x.png)", "<script>alert(1)</script>", "<b>", "<!-- x",
    "https://evil.example", "www.evil.example", "evil.example", "a@evil.example", "<https://evil.example>",
    "mailto:a@evil.example", "ftp://evil.example", "//evil.example", "*a* **b** _c_ __d__ ~~e~~ `f`", "```\nx\n```",
    "| a | b |\n|---|---|\n| c | d |", "- a\n- b", "1. a", "> quote", "***", "---", "===", "    code", "\tcode",
    "&amp;", "&#35; x", "\\", "\\[x](y)", "a  \nb", "[x]: https://evil.example", "[x]", "[^1]", "$$x$$", "\\\\(x\\\\)",
    "\\(x\\)", "- [ ] task", ":smile:", "\u202eabc\u2066", "\u2029# x", "\x00", "\ud800", "דוח סופי (v2)", "a\u2060b",
    "{{ x }}", "{% raw %}", "a\r\n\r\n# b", "*", "_", "`", "WWW.EVIL.EXAMPLE", "HTTPS://evil.example",
)  # fmt: skip
"""Texts that Markdown, a notebook or a template interprets."""
HOSTILE_TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(ODD),
    st.lists(st.sampled_from(ODD) | st.text("#*_`~[]()<>!|\\-+=.:/@&;$%{}\"' \n\tax1", max_size=6), max_size=6).map(
        "".join
    ),
)
