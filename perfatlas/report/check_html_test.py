# SPDX-License-Identifier: Apache-2.0
"""check_html_test.py FILE: exit status 1 and one line when elements are not properly nested or ids repeat."""
import html.parser
import sys

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Checker(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids = [], set()

    def fail(self, complaint):
        sys.exit("%s:%d: %s" % (sys.argv[1], self.getpos()[0], complaint))

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        name = dict(attrs).get("id")
        if name in self.ids:
            self.fail("id %s occurs twice" % name)
        if name:
            self.ids.add(name)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.fail("</%s> closes nothing" % tag)


checker = Checker()
with open(sys.argv[1], encoding="utf-8") as page:
    checker.feed(page.read())
checker.close()
if checker.open:
    checker.fail("<%s> is never closed" % checker.open[-1])
