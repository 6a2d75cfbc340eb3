"""Gemini's schemas, a selection of OpenAPI 3.0, as JSON Schema."""

from __future__ import annotations

import re
from typing import Any

_SNAKE = re.compile("_([a-z])")
_INNER = frozenset({"items", "additionalProperties"})
_LISTS = frozenset({"anyOf", "prefixItems"})
_DROPPED = frozenset({"nullable", "propertyOrdering", "example", "type"})
_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})


def camel(fields: Any) -> Any:
    """Return an object with its fields named in camel case; Google reads snake case as well, and its client mixes them."""
    if not isinstance(fields, dict):
        return fields
    return {
        _SNAKE.sub(lambda hit: hit[1].upper(), key) if isinstance(key, str) else key: value
        for key, value in fields.items()
    }


def json_schema(schema: Any) -> Any:
    """Return an OpenAPI schema as JSON Schema: types in small letters, ``nullable`` as a type, counts as numbers."""
    if not isinstance(schema, dict):
        return schema
    schema = camel(schema)
    new: dict[str, Any] = {}
    kind = schema.get("type")
    if isinstance(kind, str) and kind != "TYPE_UNSPECIFIED":
        new["type"] = [kind.lower(), "null"] if schema.get("nullable") else kind.lower()
    for key, value in schema.items():
        if key == "properties" and isinstance(value, dict):
            new[key] = {name: json_schema(each) for name, each in value.items()}
        elif key in _LISTS and isinstance(value, list):
            new[key] = [json_schema(each) for each in value]
        elif key in _INNER:
            new[key] = json_schema(value)
        elif key in _COUNTS and isinstance(value, str) and value.isdecimal():
            new[key] = int(value)  # 64-bit integers are strings in Google's JSON
        elif key == "enum" and schema.get("nullable") and isinstance(value, list):
            new[key] = [*value, *([] if None in value else [None])]
        elif key not in _DROPPED and not (key == "format" and value == "enum"):
            new[key] = value
    return new
