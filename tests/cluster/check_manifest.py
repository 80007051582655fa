# SPDX-License-Identifier: Apache-2.0
"""collect --launcher k8s --dry-run against the committed part of the Kubernetes schema, without a cluster.

Usage: check_manifest.py PERFATLAS
The schema uses few words of JSON Schema, which are all checked here; an unknown word is an error, not ignored.
"""

import json
import pathlib
import re
import subprocess
import sys

TYPES = {"object": dict, "array": list, "string": str, "integer": int}
KNOWN = {"$comment", "type", "required", "additionalProperties", "properties", "items", "minItems", "enum", "const",
         "pattern", "minimum"}


def problems(value, schema, where="manifest"):
    unknown = set(schema) - KNOWN
    assert not unknown, f"the schema uses {unknown}, which is not checked"
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or isinstance(value, bool)):
        return [f"{where}: {value!r} is no {kind}"]
    found = []
    if "const" in schema and value != schema["const"]:
        found.append(f"{where}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is none of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{where}: {value!r} does not match {schema['pattern']}")
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{where}: {value} is below {schema['minimum']}")
    if "minItems" in schema and len(value) < schema["minItems"]:
        found.append(f"{where}: has fewer than {schema['minItems']} items")
    found += [f"{where}: lacks {name}" for name in schema.get("required", []) if name not in value]
    if "items" in schema:
        for i, item in enumerate(value):
            found += problems(item, schema["items"], f"{where}[{i}]")
    members = schema.get("properties", {})
    if isinstance(value, dict):
        for name, member in value.items():
            if name in members:
                found += problems(member, members[name], f"{where}.{name}")
            elif schema.get("additionalProperties") is False:
                found.append(f"{where}: has {name}, which the schema does not know")
    return found


def main():
    schema = json.loads((pathlib.Path(__file__).parent / "kubernetes_job.schema.json").read_text())
    command = [sys.argv[1], "collect", "--grid", "aic", "--ops", "gemm", "--plan", "small", "--out", "/shared/run",
               "--launcher", "k8s", "--dry-run", "--tasks", "8", "--gres", "gpu:1", "--image", "perfatlas:1",
               "--claim", "pool"]
    manifest = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = problems(manifest, schema)
    # The check itself must be able to fail.
    for spoil in (lambda m: m.pop("spec"), lambda m: m["spec"].update(completion=3),
                  lambda m: m["spec"].update(parallelism="8")):
        spoiled = json.loads(json.dumps(manifest))
        spoil(spoiled)
        if not problems(spoiled, schema):
            found.append(f"a spoiled manifest passes: {json.dumps(spoiled)[:200]}")
    print("\n".join(found) or "the manifest is what the schema wants")
    return bool(found)


sys.exit(main())
