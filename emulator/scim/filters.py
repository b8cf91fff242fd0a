"""SCIM filter expressions: `userName eq "a@b" and (active eq true or not (groups co "12"))`.

Comparisons ignore case. Strings have single or double quotes. `and` binds more tightly than `or`.
"""

import re
from collections.abc import Callable, Collection

from emulator.api.errors import ScimError

Values = Callable[[str], list[str]]
"""Returns a resource's values for an attribute (lower case); empty if it is missing."""

Filter = Callable[[Values], bool]

MAX_DEPTH = 40
"""Maximum nesting of parentheses."""

_TOKEN = re.compile(r"""\s*(?:([()\[\]])|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|([^\s()\[\]"']+))""")

_COMPARISONS: dict[str, Callable[[list[str], str], bool]] = {
    "eq": lambda values, wanted: wanted in values,
    "ne": lambda values, wanted: wanted not in values,
    "co": lambda values, wanted: any(wanted in value for value in values),
    "sw": lambda values, wanted: any(value.startswith(wanted) for value in values),
}


def parse(text: str, attributes: Collection[str]) -> Filter:
    """Parse a filter.

    `attributes` has the attribute names (lower case) of resources. Parts have their full path as name, such as
    `name.givenname` and `members.value`; `.value` may be omitted. Raises ScimError 400 `invalidFilter`.
    """
    parser = _Parser(_tokens(text), frozenset(attributes))
    filter = parser.disjunction("")
    if parser.tokens:
        raise _refused(f"unexpected {parser.tokens[0]!r}")
    return filter


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _refused(f"a quote is not closed in {text[position:].strip()!r}")
        found.append(match.group(1) or match.group(2) or match.group(3))
        position = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str], attributes: frozenset[str]) -> None:
        self.tokens = tokens
        self._attributes = attributes
        self._depth = 0

    def disjunction(self, prefix: str) -> Filter:
        alternatives = [self._conjunction(prefix)]
        while self._accept("or"):
            alternatives.append(self._conjunction(prefix))
        return alternatives[0] if len(alternatives) == 1 else lambda values: any(a(values) for a in alternatives)

    def _conjunction(self, prefix: str) -> Filter:
        conditions = [self._condition(prefix)]
        while self._accept("and"):
            conditions.append(self._condition(prefix))
        return conditions[0] if len(conditions) == 1 else lambda values: all(c(values) for c in conditions)

    def _condition(self, prefix: str) -> Filter:
        if self._accept("not"):
            inner = self._enclosed(prefix, "(", ")")
            return lambda values: not inner(values)
        if self.tokens and self.tokens[0] == "(":
            return self._enclosed(prefix, "(", ")")
        name = prefix + self._next("an attribute").lower()
        if self.tokens and self.tokens[0] == "[":
            return self._enclosed(f"{name}.", "[", "]")
        return self._comparison(name)

    def _comparison(self, name: str) -> Filter:
        name = name.removesuffix(".value")
        if name not in self._attributes:
            raise _refused(f"no attribute {name!r}")
        operator = self._next("an operator").lower()
        compare = _COMPARISONS.get(operator)
        if compare is None:
            raise _refused(f"operator {operator!r} is not supported, only {', '.join(_COMPARISONS)}")
        wanted = _unquoted(self._next("a value")).casefold()
        return lambda values: compare([value.casefold() for value in values(name)], wanted)

    def _enclosed(self, prefix: str, opening: str, closing: str) -> Filter:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _refused(f"more than {MAX_DEPTH} parentheses deep")
        if self._next(repr(opening)) != opening:
            raise _refused(f"expected {opening!r}")
        inner = self.disjunction(prefix)
        if self._next(repr(closing)) != closing:
            raise _refused(f"expected {closing!r}")
        self._depth -= 1
        return inner

    def _accept(self, keyword: str) -> bool:
        if self.tokens and self.tokens[0].lower() == keyword:
            del self.tokens[0]
            return True
        return False

    def _next(self, expected: str) -> str:
        if not self.tokens:
            raise _refused(f"expected {expected} at the end")
        return self.tokens.pop(0)


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token[0] in "\"'" else token


def _refused(reason: str) -> ScimError:
    return ScimError(400, f"The filter cannot be understood: {reason}.", "invalidFilter")
