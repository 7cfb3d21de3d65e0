# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents as the text of a manifest, in the various ways people and programs write YAML."""

import json
import re

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*|\d+\.\d+\.\d+\.\d+"
                   r"|[0-9a-fA-F]+:[0-9a-fA-F:]*[0-9a-fA-F]")
WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def as_json(documents, rng):
    """A JSON file: documents one after the other, as kubectl accepts them."""
    if len(documents) == 1:
        return json.dumps(documents[0], indent=rng.choice([None, 2, "\t"])) + "\n"
    items = {"apiVersion": "v1", "kind": "List", "items": documents}
    return json.dumps(items, indent=rng.choice([None, 2])) + "\n"


def as_yaml(documents, rng):
    parts = []
    for document in documents:
        if rng.random() < 0.3:
            parts.append(flow(document, rng) + "\n")
        else:
            parts.append("".join(f"{line}\n" for line in block(document, rng)))
        if rng.random() < 0.1:
            parts[-1] += "# kind: Service\n"
    text = "---\n".join(parts)
    # What starts with a brace is JSON, for kubectl too.
    return "---\n" + text if text.startswith("{") or rng.random() < 0.5 else text


def scalar(value, rng, flowing):
    if value is None:
        return rng.choice(["null", "~"])
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    plain = PLAIN.fullmatch(value) and value.lower() not in WORDS and not re.fullmatch(
        r"[0-9]+(:[0-9]+)+", value)
    if plain and not (flowing and ":" in value) and rng.random() < 0.7:
        return value
    if "'" not in value and "\n" not in value and rng.random() < 0.5:
        return f"'{value}'"
    return json.dumps(value)


def flow(value, rng):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(k, rng, True)}: {flow(v, rng)}"
                               for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(one, rng) for one in value) + "]"
    return scalar(value, rng, True)


def block(value, rng):
    """Lines of block style."""
    if not value or not isinstance(value, (dict, list)) or rng.random() < 0.1:
        return [flow(value, rng)]
    lines = []
    for key in value:
        inner = value[key] if isinstance(value, dict) else key
        lead = f"{scalar(key, rng, False)}:" if isinstance(value, dict) else "-"
        if isinstance(inner, (dict, list)) and inner and rng.random() > 0.15:
            below = block(inner, rng)
            if lead == "-":
                lines.append(f"- {below[0]}")
                lines += [f"  {line}" for line in below[1:]]
            else:
                lines += [lead] + [f"  {line}" for line in below]
        elif isinstance(inner, (dict, list)):
            lines.append(f"{lead} {flow(inner, rng)}")
        else:
            lines.append(f"{lead} {scalar(inner, rng, False)}")
    return lines
