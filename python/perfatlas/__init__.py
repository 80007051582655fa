# SPDX-License-Identifier: Apache-2.0
"""How long an op of LLM inference takes, from measured tables, with origin and error bar.

    import numpy, perfatlas
    database = perfatlas.Database("tables")
    answer = database.latency(perfatlas.Gemm(dtype="bfloat16", m=8, n=4096, k=1024))
    print(answer.latency_ms, answer.source, answer.rel_error)
    many = database.latency(perfatlas.Gemm(m=numpy.arange(1, 4096), n=4096, k=1024))
    print(many.latency_ms.sum())

There is one class per op; its fields are those of `perfatlas ops OP`. Unknown values are None, in arrays nan.
"""

import dataclasses
from typing import Any, Optional, Union

import numpy

from . import _core, ops
from ._core import Error, UsageError
from .ops import *  # noqa: F403

__all__ = ["Answer", "AnswerArray", "Database", "Error", "UsageError", *ops.__all__]


@dataclasses.dataclass
class Answer:
    """One answer (docs/formats.md); `source` is "none" when there is none, and miss_reason then says why."""

    source: str
    latency_ms: Optional[float]
    energy_mj: Optional[float]
    rel_error: Optional[float]
    engine: str
    intervals: Optional[tuple[float, float, float]]
    repaired: bool
    faster_than_light: bool
    distance_octaves: float
    sol_ms: Optional[float]
    derived_from: list[dict[str, Any]]
    system: str
    backend: str
    version: str
    kernel_source: str
    cache_state: Optional[str]
    notes: list[str]
    miss_reason: str

    def __bool__(self) -> bool:
        return self.source != "none"


@dataclasses.dataclass
class AnswerArray:
    """Answers to arrays of cases, in their shape; miss_reason in C order."""

    latency_ms: numpy.ndarray
    energy_mj: numpy.ndarray
    rel_error: numpy.ndarray
    sol_ms: numpy.ndarray
    source: numpy.ndarray
    miss_reason: list[str]


class Database:
    """The placed tables of a data folder (default: PERFATLAS_DATA, else the user's data folder), or published ones.

    `systems_path`: a wheel of aiconfigurator-core, or a folder of systems with its content; or a list of these, of which
    earlier ones win.
    """

    def __init__(self, path: Any = "", *, systems_path: Any = "") -> None:
        several = isinstance(systems_path, (list, tuple))
        given = systems_path if several else [systems_path] if systems_path else []
        self._core = _core.Database(str(path), [str(one) for one in given])

    def systems(self) -> list[str]:
        """Systems with tables or with a description."""
        return self._core.systems()

    def latency(self, op: Any, **options: Any) -> Union[Answer, AnswerArray]:
        """Answers one op, or arrays of them when fields are numpy arrays of integers. Threads may ask at once.

        Options: system, backend, version, kernel, cache_state, engine, mode, transfers, allow_sol; as those of
        `perfatlas query`.
        """
        fields = {f.name: getattr(op, f.name) for f in dataclasses.fields(op)}
        found = self._core.latency(op.op_id, fields, **options)
        return Answer(**found) if "derived_from" in found else AnswerArray(**found)
