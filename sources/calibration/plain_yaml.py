"""The part of YAML in which calibrations are written: maps, lists, numbers and words.

It stands in for a library that nothing else would need. Tags are skipped, and so is all after the first
document; anchors and texts over several lines are not known.
"""

from __future__ import annotations

import re
from typing import Any

KEY = re.compile(r"""("[^"]*"|'[^']*'|[^\s\[\]{},#][^\[\]{},#]*?)\s*:(?:\s+(.*))?$""")
TOKEN = re.compile(r"""[\[\]{},]|"[^"]*"|'[^']*'|[^\[\]{},\s:][^\[\]{},:]*|:""")
DEEPEST = 32  # levels of nesting

Line = tuple[int, str]  # indentation and text


def read_yaml(text: str) -> Any:
    """Maps as dict, lists as list, numbers as float, all else as str.

    Raises
    ------
    ValueError
        The text is not such YAML.
    """
    lines = _lines(text)
    value, rest = _block(lines, 0)
    if rest:
        raise ValueError(f"cannot be read from the line {rest[0][1]!r} on")
    return value


def _lines(text: str) -> list[Line]:
    """Lines that say something; a collection in brackets as one line."""
    lines: list[Line] = []
    open_brackets = 0
    for line in text.splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).rstrip()
        if line.startswith(("---", "...", "%")):
            if lines:
                break
            continue
        if not line.strip():
            continue
        if open_brackets > 0:
            lines[-1] = lines[-1][0], f"{lines[-1][1]} {line.strip()}"
        else:
            lines.append((len(line) - len(line.lstrip()), line.strip()))
        open_brackets += sum(line.count(sign) for sign in "[{") - sum(line.count(sign) for sign in "]}")
    return lines


def _block(lines: list[Line], depth: int) -> tuple[Any, list[Line]]:
    """The map, list or scalar that `lines` begin with, and the lines after it."""
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    if not lines:
        return "", lines
    if lines[0][1] == "-" or lines[0][1].startswith("- "):
        return _list(lines, depth)
    if KEY.match(lines[0][1]):
        return _map(lines, depth)
    return _value(lines[0][1]), lines[1:]


def _list(lines: list[Line], depth: int) -> tuple[list[Any], list[Line]]:
    indent, items = lines[0][0], []
    while lines and lines[0][0] == indent and lines[0][1].startswith("-"):
        text = lines[0][1][1:].strip()
        inner = [(indent + 2, text)] if text else []
        item, lines = _block(inner + lines[1:], depth + 1)
        items.append(item)
    return items, lines


def _map(lines: list[Line], depth: int) -> tuple[dict[str, Any], list[Line]]:
    indent, pairs = lines[0][0], {}
    while lines and lines[0][0] == indent and (found := KEY.match(lines[0][1])):
        key, text = found[1].strip("\"'"), re.sub(r"^!\S*\s*", "", found[2] or "")
        lines = lines[1:]
        is_list = bool(lines) and lines[0][0] == indent and lines[0][1].startswith("- ")
        if text:
            pairs[key] = _value(text)
        elif lines and (lines[0][0] > indent or is_list):
            pairs[key], lines = _block(lines, depth + 1)
        else:
            pairs[key] = ""
    return pairs, lines


def _value(text: str) -> Any:
    """A collection in brackets, or a scalar."""
    if text[:1] not in ("[", "{"):
        return _scalar(text)
    tokens = TOKEN.findall(text)
    tokens.reverse()
    return _flow(tokens, 0)


def _flow(tokens: list[str], depth: int) -> Any:
    """The collection or scalar that the reversed `tokens` end with."""
    if not tokens or depth > DEEPEST:
        raise ValueError("a bracket is not closed")
    token = tokens.pop()
    if token == "[":
        items = []
        while tokens and tokens[-1] != "]":
            items.append(_flow(tokens, depth + 1))
            _skip(tokens, ",")
        _skip(tokens, "]")
        return items
    if token == "{":
        pairs = {}
        while tokens and tokens[-1] != "}":
            key = tokens.pop().strip("\"' ")
            _skip(tokens, ":")
            pairs[key] = _flow(tokens, depth + 1)
            _skip(tokens, ",")
        _skip(tokens, "}")
        return pairs
    return _scalar(token)


def _skip(tokens: list[str], token: str) -> None:
    if tokens and tokens[-1] == token:
        tokens.pop()


def _scalar(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text.strip().strip("\"'")
