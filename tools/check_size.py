#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Budget for the tail: files over 400 lines are named, files over 600 and functions over 60 do not pass."""

import re
import sys

import source_files

FILE_WARN, FILE_FAIL, FUNCTION_FAIL = 400, 600, 60
CODE_SUFFIXES = {".h", ".cpp", ".cu", ".cuh", ".py", ".sh", ".cmake", ".js", ".css"}

# Everything whose braces and parentheses do not count. A quote after a digit separates thousands (1'000).
NOT_CODE = re.compile(
    r"""//(?:\\\n|[^\n])*            # line comment
      | /\*.*?\*/                    # block comment
      | ^[ \t]*\#(?:\\\n|[^\n])*     # preprocessor line
      | R"(?P<tag>[^\s()\\]*)\(.*?\)(?P=tag)"   # raw string
      | "(?:\\.|[^"\\\n])*"          # string
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'     # character
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*\Z")
NOISE = re.compile(r"\[\[.*?\]\]|\balignas\s*\([^)]*\)|\b__attribute__\s*\(\(.*?\)\)|\boperator\s*[<>=!()]+")


def blanked(text):
    """`text` with comments, strings and preprocessor lines removed, every line break kept."""
    return NOT_CODE.sub(lambda m: "\n" * m.group().count("\n") or " ", text)


def without_angles(text):
    """`text` without template arguments, so that `template <class T>` does not look like a class."""
    before = None
    while before != text:
        before, text = text, re.sub(r"<[^<>;{}]*>", " ", text)
    return text


def is_scope(head):
    return bool(SCOPE.search(without_angles(NOISE.sub(" ", head)).strip())) or not head.strip()


def matching_brace(code, start):
    depth = 0
    for at in range(start, len(code)):
        depth += (code[at] == "{") - (code[at] == "}")
        if depth == 0:
            return at
    return len(code) - 1


def functions(text):
    """(first line, number of lines, head) of every function body outside other functions."""
    code = blanked(text)
    at, head, parens = 0, "", 0
    while at < len(code):
        char = code[at]
        if char in ";}" and parens <= 0:
            head = ""
        elif char == "{" and parens <= 0 and is_scope(head):
            head = ""
        elif char == "{":  # a function body, or the braces of an initialiser: skipped as a whole
            end = matching_brace(code, at)
            following = code[end + 1 :].lstrip()[:1]
            if parens <= 0 and "(" in head and following not in {",", "{"}:
                yield code.count("\n", 0, at) + 1, code.count("\n", at, end) + 1, " ".join(head.split())
            head = head + " " if following in {",", "{"} or parens > 0 else ""
            at = end
        else:
            parens += (char == "(") - (char == ")")
            head += char
        at += 1


def self_test():
    body = "\n".join("  f('{', \"}\", 1'000);  // {" for _ in range(60))
    long_ones = [
        f"int a() {{\n{body}\n}}",
        f"namespace x {{\ntemplate <class T> auto S<T>::b(T t = {{}}) const -> int {{\n{body}\n}}\n}}",
        f"struct C {{ C() : p{{1}}, q{{2}} {{\n{body}\n}}\nint p; }};",
        f"const auto d = [](int x) {{\n{body}\n}};",
        f"bool operator<(const A&, const B&) {{\n{body}\n}}",
    ]
    short = [
        "const T kTable = {\n" + "{1, f(2)},\n" * 90 + "};",
        "class K final : public B<int> {\n" + "int a() { return 1; }\n" * 90 + "};",
        'const char* k = R"x({\n' + "{\n" * 90 + ')x";\nint f() { return 0; }',
        "int f() {\n" + "\n" * 50 + "}\nint g() {\n" + "\n" * 50 + "}",
    ]
    wrong = [t for t in long_ones if [n > FUNCTION_FAIL for _, n, _ in functions(t)] != [True]]
    wrong += [t for t in short if any(n > FUNCTION_FAIL for _, n, _ in functions(t))]
    print("self-test passed" if not wrong else f"self-test FAILED on: {[t[:60] for t in wrong]}")
    return bool(wrong)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    failures = 0
    for path in source_files.listed(source_files.ROOT):
        if path.suffix not in CODE_SUFFIXES:
            continue
        text = (source_files.ROOT / path).read_text(errors="replace")
        lines = text.count("\n")
        if lines > FILE_WARN:
            failures += lines > FILE_FAIL
            print(f"{path}:1: {'error' if lines > FILE_FAIL else 'warning'}: {lines} lines (limit {FILE_FAIL})")
        for first, count, head in functions(text) if path.suffix in source_files.CXX_SUFFIXES else ():
            if count > FUNCTION_FAIL:
                failures += 1
                print(f"{path}:{first}: error: function of {count} lines (limit {FUNCTION_FAIL}): {head[-80:]}")
    print("sizes hold" if failures == 0 else f"{failures} over the limit")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
