# SPDX-License-Identifier: Apache-2.0
"""The worker protocol (docs/formats.md) as a framework's worker speaks it: one JSON object per line, strictly in turn."""
import json
import sys

from .framework import Case, Framework, Operand
from .memory import OutOfMemory
from .sampling import PreparedCase, Store, launch_once

PROTOCOL = 1
LONGEST_LINE = 16 << 20


class Refused(Exception):
    """A request that is malformed or makes no sense here; the text says why."""


# ---- requests ------------------------------------------------------------------------------------------------------

def _text(value):
    return isinstance(value, str)


def _natural(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _real(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _boolean(value):
    return isinstance(value, bool)


REQUIRED = object()
_CASE = {"case": (_text, REQUIRED), "operands": (lambda value: isinstance(value, list), []),
         "streamed_bytes": (_real, 0)}
_SELECTOR = {**_CASE, "backend": (_text, ""), "kernel": (_text, ""), "seed": (_natural, 0)}
MEMBERS = {
    "hello": {"protocol": (_natural, PROTOCOL)},
    "probe": {"budget_s": (_real, 30)},
    "kernels": _CASE,
    "check": _SELECTOR,
    "launch": _SELECTOR,
    "sample": {**_SELECTOR, "cache": (lambda value: value in ("serving", "hot", "cold"), "serving"),
               "warmups": (_natural, 3), "repetitions": (lambda value: _natural(value) and value > 0, 10),
               "min_sample_ms": (_real, 0.1), "max_total_ms": (_real, 1000), "allow_graph_fail": (_boolean, True),
               "measure_energy": (_boolean, False)},
    "step": {"cases": (lambda value: isinstance(value, list), []), "order": (lambda value: isinstance(value, list), []),
             "backend": (_text, ""), "seed": (_natural, 0), "warmups": (_natural, 1), "repetitions": (_natural, 10),
             "max_total_ms": (_real, 10000), "allow_graph_fail": (_boolean, True)},
}
_OPERAND = {"name": (_text, REQUIRED), "role": (lambda v: v in ("weight", "kv", "activation", "output"), REQUIRED),
            "dtype": (_text, REQUIRED), "shape": (lambda v: isinstance(v, list) and all(map(_natural, v)), REQUIRED),
            "fill": (_text, REQUIRED), "written": (_boolean, REQUIRED), "content": (_text, None)}


def read_members(value, members: dict, what: str) -> dict:
    """Every known member with its default. A member that is unknown, missing or of the wrong kind is refused."""
    if not isinstance(value, dict):
        raise Refused(f"{what}: is no JSON object")
    for name in value:
        if name not in members:
            raise Refused(f"{what}: unknown key '{name}'")
    for name, (fits, default) in members.items():
        if name in value and not fits(value[name]):
            raise Refused(f"{what}: '{name}' is not what it must be: {json.dumps(value[name])[:80]}")
        if name not in value and default is REQUIRED:
            raise Refused(f"{what}: '{name}' is missing")
    return {name: value.get(name, default) for name, (_, default) in members.items()}


def _no_constant(text):
    raise Refused(f"request: {text} is no finite number")


def read_request(line: str):
    """(id, kind, members) of one line."""
    try:
        value = json.loads(line, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Refused(f"protocol line is not one JSON object: '{line[:80]}'") from error
    if not isinstance(value, dict) or not _natural(value.get("id")):
        raise Refused("request: 'id' must be a number from 0 on")
    number, kind = value.pop("id"), value.pop("request", None)
    if kind not in MEMBERS:
        return number, None, {"error": f"request: 'request' must be one of {', '.join(MEMBERS)}"}
    try:
        return number, kind, read_members(value, MEMBERS[kind], f"{kind} request")
    except Refused as error:
        return number, None, {"error": str(error)}


def case_of(request: dict) -> Case:
    if not request["operands"]:
        raise Refused("this worker does not know the op declarations: the request must describe the operands")
    operands = [read_members(value, _OPERAND, "offered operand") for value in request["operands"]]
    return Case(request["case"], tuple(Operand(**{**o, "shape": tuple(o["shape"])}) for o in operands),
                request["streamed_bytes"])


# ---- answers -------------------------------------------------------------------------------------------------------

class Worker:
    """Answers requests for one framework on one set of cores. The last case stays prepared."""

    def __init__(self, framework: Framework, cores: list):
        self._framework = framework
        self._device = framework.device(cores)
        self._store = Store(self._device["memory_bytes"], self._device["llc_bytes"])
        self._prepared, self._prepared_for = None, None

    def answer(self, kind: str, request: dict) -> dict:
        try:
            return getattr(self, "_" + kind)(request)
        except (OutOfMemory, MemoryError) as error:
            self._prepared = self._prepared_for = None
            return {"answer": "failed", "error": str(error) or "out of memory; choose smaller sizes"}
        except Exception as error:  # whatever a framework throws is the answer to this request, not the worker's end
            self._prepared = self._prepared_for = None
            text = " ".join(str(error).split())
            known = isinstance(error, (Refused, ValueError))
            return {"answer": "failed", "error": text if known else f"{type(error).__name__}: {text}"}

    def _hello(self, request: dict) -> dict:
        framework = self._framework
        if request["protocol"] != PROTOCOL:
            raise Refused(f"this worker speaks protocol {PROTOCOL}, not {request['protocol']}; install supervisor and "
                          "worker of one release")
        versions = {**framework.versions(), "python": sys.version.split()[0]}
        return {"answer": "hello", "protocol": PROTOCOL, "worker": f"perfatlas-worker-{framework.backend}",
                "device": {**self._device, "versions": versions},
                "backends": {framework.backend: framework.version},
                "kernels": [{"op": k.op, "name": k.name, "backend": framework.backend} for k in framework.kernels],
                "wants_operands": True}

    def _probe(self, _request: dict) -> dict:
        return {"answer": "skipped", "reason": "peaks are measured by perfatlas-worker-cpu and perfatlas-worker-cuda"}

    def _kernels(self, request: dict) -> dict:
        case = case_of(request)
        return {"answer": "kernels", "kernels": [
            {"backend": self._framework.backend, "kernel": k.name, "reason": k.why_unsupported(case)}
            for k in self._framework.kernels if k.op == case.op]}

    def _check(self, _request: dict) -> dict:
        raise Refused("results of this worker are judged by the supervisor: send launch requests")

    def _step(self, _request: dict) -> dict:
        return {"answer": "skipped", "reason": "workers in Python measure single ops, not steps"}

    def _launch(self, request: dict) -> dict:
        case = case_of(request)
        for operand in case.operands:
            if not operand.content:
                raise Refused(f"launch request: operand {operand.name} has no content")
        kernel, reason = self._choose(case, request)
        if kernel is None:
            return {"answer": "skipped", "reason": reason}
        return {"answer": "launch", "kernel_source": kernel.name,
                "overrun": launch_once(self._framework, kernel, case)}

    def _sample(self, request: dict) -> dict:
        case = case_of(request)
        kernel, reason = self._choose(case, request)
        if kernel is None:
            return {"answer": "skipped", "reason": reason}
        key = (case.text, kernel.name, request["cache"], request["seed"])
        if self._prepared_for != key:
            self._prepared = self._prepared_for = None
            self._prepared = PreparedCase(self._framework, kernel, case, request["cache"], self._store)
            self._prepared_for = key
        samples = self._prepared.sample(request["warmups"], request["repetitions"], request["min_sample_ms"],
                                        request["max_total_ms"])
        return {"answer": "sample", "kernel_source": kernel.name, **samples,
                "launch": self._framework.launch_mode, "launch_note": self._framework.launch_note, "before": {}, "after": {}}

    def _choose(self, case: Case, request: dict):
        """The best kernel that supports the case, or None and the reasons of those considered."""
        reasons = []
        for kernel in self._framework.kernels:
            if kernel.op != case.op or request["backend"] not in ("", self._framework.backend):
                continue
            if request["kernel"] not in ("", kernel.name):
                continue
            why = kernel.why_unsupported(case)
            if not why:
                return kernel, ""
            reasons.append(f"{kernel.name}: {why}")
        return None, "; ".join(reasons) or (f"this worker has no kernel '{request['kernel']}' of back end "
                                            f"'{request['backend']}' for {case.op}")


def serve(worker: Worker, requests, answers) -> None:
    """Until the end of the input."""
    while line := requests.readline(LONGEST_LINE):
        number = 0
        try:
            number, kind, request = read_request(line.decode("utf-8", "replace"))
            answer = worker.answer(kind, request) if kind else {"answer": "failed", **request}
        except Refused as error:
            answer = {"answer": "failed", "error": str(error)}
        answers.write(json.dumps({"id": number, **answer}).encode() + b"\n")
        answers.flush()
