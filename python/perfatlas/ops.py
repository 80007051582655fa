# SPDX-License-Identifier: Apache-2.0
"""One class per op, made from the declarations; its fields are those of `perfatlas ops OP`."""

import dataclasses

from . import _core

__all__ = []


def _class_of(declaration):
    name = "".join(part[:1].upper() + part[1:] for part in declaration["id"].split("_"))
    kinds = {"int": int, "bool": bool, "str": str}
    fields = [(f["name"], kinds[f["kind"]], dataclasses.field(default=f["default"])) for f in declaration["fields"]]
    lines = [f'{f["name"]}: {f["doc"]}' + (f' ({", ".join(f["choices"])})' if f["choices"] else "")
             for f in declaration["fields"]]
    made = dataclasses.make_dataclass(name, fields, eq=False, kw_only=True)
    made.__doc__ = declaration["doc"] + "\n\n" + "\n".join(lines)
    made.__module__ = __name__
    made.op_id = declaration["id"]
    return made


for _declaration in _core.declarations():
    _made = _class_of(_declaration)
    globals()[_made.__name__] = _made
    __all__.append(_made.__name__)
