#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the #include directions of perfatlas/ against perfatlas/LAYERS, whose head documents its format."""

import fnmatch
import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import source_files

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
TEST_HEADERS = ["gtest/*", "gmock/*", "rapidcheck.h", "rapidcheck/*"]


class Layer(NamedTuple):
    name: str
    globs: list  # file globs below perfatlas/; a leading ! excludes
    reach: set  # names of the layers it may include, itself among them, transitively closed
    foreign: list  # globs of foreign headers that only layers naming them may include


def glob_regex(glob):
    """`**/` matches any folders or none, `**` anything, `*` anything within one folder."""
    steps = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return re.compile("".join(steps.get(p, re.escape(p)) for p in re.split(r"(\*\*/|\*\*|\*)", glob)) + r"\Z")


def owns(layer, path):
    hit = any(glob_regex(g).match(path) for g in layer.globs if not g.startswith("!"))
    return hit and not any(glob_regex(g[1:]).match(path) for g in layer.globs if g.startswith("!"))


def closure(name, direct, above=()):
    if name in above:
        raise ValueError(f"layers include each other in a circle: {' -> '.join((*above, name))}")
    if name not in direct:
        raise ValueError(f"layer {above[-1]} may include {name}, but no line defines {name}")
    return {name}.union(*(closure(d, direct, (*above, name)) for d in direct[name]))


def read_layers(text):
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    rows = [[column.strip() for column in line.split(":")] for line in lines]
    bad = next((line for line, row in zip(lines, rows) if len(row) != 4), None)
    if bad is not None:
        raise ValueError(f"not four columns separated by ':': {bad}")
    direct = {row[0]: row[2].split() for row in rows}
    if len(direct) != len(rows):
        raise ValueError("a layer is defined twice")
    return [Layer(r[0], r[1].split(), closure(r[0], direct), r[3].split()) for r in rows]


def layer_of(layers, path):
    return next((layer for layer in layers if owns(layer, path)), None)


def foreign_problem(layers, layer, path, header):
    if any(fnmatch.fnmatch(header, g) for g in TEST_HEADERS):
        return None if path.stem.endswith("_test") else f"only *_test files may include {header}"
    owners = [la.name for la in layers if any(fnmatch.fnmatch(header, g) for g in la.foreign)]
    if not owners or layer.name in owners:
        return None
    return f"layer {layer.name} may not include {header} (allowed only in: {', '.join(owners)})"


def include_problem(layers, layer, path, quote, header):
    if not header.startswith("perfatlas/"):
        if quote == '"':
            return f'include "{header}" by its full path, "perfatlas/..."; other libraries as <{header}>'
        return foreign_problem(layers, layer, path, header)
    target = layer_of(layers, header.removeprefix("perfatlas/"))
    if target is None:
        return f"{header} belongs to no layer of perfatlas/LAYERS"
    if target.name in layer.reach:
        return None
    return f"layer {layer.name} may not include {target.name} (allowed: {', '.join(sorted(layer.reach))})"


def violations(root):
    layers = read_layers((root / "perfatlas/LAYERS").read_text())
    for path in source_files.cxx(root):
        if path.parts[0] != "perfatlas":
            continue
        layer = layer_of(layers, path.as_posix().removeprefix("perfatlas/"))
        if layer is None:
            yield f"{path}:1: belongs to no layer of perfatlas/LAYERS"
            continue
        for number, line in enumerate((root / path).read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            problem = found and include_problem(layers, layer, path, *found.groups())
            if problem:
                yield f"{path}:{number}: {problem}"


def self_test():
    layers = "low : low/** !low/fast_* : : zlib.h\nfast : low/fast_* : low :\nhigh : high/** : fast :\n"
    files = {
        "LAYERS": layers,
        "low/a.h": '#include <vector>\n#include <zlib.h>\n#include "perfatlas/high/b.h"\n',
        "low/fast_c.h": '#include "perfatlas/low/a.h"\n#include "perfatlas/high/b.h"\n',
        "high/b.h": '#include "perfatlas/low/a.h"\n# include <zlib.h>\n#include <gtest/gtest.h>\n',
        "high/b_test.cpp": '#include <gtest/gtest.h>\n#include "b.h"\n',
        "lost/d.h": "",
    }
    expected = ["high/b.h:2", "high/b.h:3", "high/b_test.cpp:2", "lost/d.h:1", "low/a.h:3", "low/fast_c.h:2"]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, "perfatlas", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = sorted(v.split(": ")[0].removeprefix("perfatlas/") for v in violations(Path(folder)))
    for circle in ("a : a/** : b :\nb : b/** : a :", "a : a/** : b :", "a : a/**"):
        try:
            read_layers(circle)
            found.append(f"accepted {circle!r}")
        except ValueError:
            pass
    print("self-test passed" if found == expected else f"self-test FAILED: found {found}, expected {expected}")
    return found != expected


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    try:
        found = list(violations(source_files.ROOT))
    except (OSError, ValueError) as error:
        found = [f"perfatlas/LAYERS: {error}"]
    print("\n".join(found) or "layers hold")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
