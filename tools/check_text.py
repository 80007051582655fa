#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what no compiler sees: licence lines, paths of one machine, unfinished notes, long lines, empty names."""

import re
import sys

import source_files

SPDX = "SPDX-License-Identifier: Apache-2.0"
SPDX_SUFFIXES = source_files.CXX_SUFFIXES | {".py", ".sh", ".cmake", ".js", ".css"}
SPDX_NAMES = {"CMakeLists.txt", "Makefile", ".clang-format", ".clang-tidy", ".editorconfig", ".gitignore"}
LONGEST_LINE = 120  # clang-format leaves comments alone, and does not read CMake
# One letter in brackets keeps each pattern from matching its own definition.
LINE_RULES = [
    (re.compile(r"(?<![\w.$}])/(wor[k]|roo[t]|hom[e]/\w+)/|/tmp/buil[d]-"), "path of one machine"),
    (re.compile(r"\b(TOD[O]|FIXM[E])\b"), "unfinished note: do it, or describe the limit"),
    (re.compile(r"^(<{7}|>{7}|\|{7}) "), "merge conflict"),
]
EMPTY_NAME = re.compile(r"(\A|_)(utils?|helpers?|common|misc)(_|\Z)")


def needs_spdx(path, first_line):
    return path.suffix in SPDX_SUFFIXES or path.name in SPDX_NAMES or first_line.startswith("#!")


def is_bounded(path):
    return path.suffix in source_files.CXX_SUFFIXES | {".cmake"} or path.name == "CMakeLists.txt"


def problems(path, text):
    lines = text.splitlines() or [""]
    if needs_spdx(path, lines[0]) and not any(SPDX in line for line in lines[:2]):
        yield f"{path}:1: no line '{SPDX}' at the top"
    if EMPTY_NAME.search(path.stem):
        yield f"{path}:1: the name says nothing about the content"
    if path.name == "LICENSE":
        return
    for number, line in enumerate(lines, 1):
        if is_bounded(path) and len(line) > LONGEST_LINE:
            yield f"{path}:{number}: {len(line)} characters (limit {LONGEST_LINE})"
        for pattern, reason in LINE_RULES:
            if pattern.search(line):
                yield f"{path}:{number}: {reason}: {line.strip()[:100]}"


def main():
    found = []
    for path in source_files.listed(source_files.ROOT):
        data = (source_files.ROOT / path).read_bytes()
        if b"\0" not in data[:4096]:
            found += problems(path, data.decode(errors="replace"))
    print("\n".join(found) or "texts hold")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
