# SPDX-License-Identifier: Apache-2.0
"""What a framework module provides: how its tensors look at memory, and its kernels."""
import contextlib
import time
from dataclasses import dataclass, field
from typing import Callable, Optional

import numpy as np

from . import machine

# Bits of one stored element, by the names of the protocol.
BITS = {"float32": 32, "tfloat32": 32, "int32": 32, "float16": 16, "bfloat16": 16, "fp8": 8, "int8": 8, "fp4": 4,
        "int4": 4}


@dataclass(frozen=True)
class Operand:
    """One buffer of a case as the supervisor declares it: dense and row-major."""

    name: str
    role: str  # weight, kv, activation, output
    dtype: str
    shape: tuple
    fill: str
    written: bool
    content: Optional[str] = None  # file with its elements

    @property
    def bytes(self) -> int:
        if self.dtype not in BITS:
            raise ValueError(f"operand {self.name}: this worker has no type {self.dtype}")
        return (int(np.prod(self.shape, dtype=np.int64)) * BITS[self.dtype] + 7) // 8

    @property
    def streamed(self) -> bool:
        """Found in memory, not in a cache, by a serving step."""
        return self.role in ("weight", "kv") and self.dtype != "int32"


@dataclass(frozen=True)
class Case:
    """What to run: `gemm m=8 ...` and the operands that follow from it."""

    text: str
    operands: tuple
    streamed_bytes: float = 0  # weights and KV cache that one launch reads or writes
    fields: dict = field(init=False, compare=False)

    def __post_init__(self):
        pairs = [word.partition("=") for word in self.text.split(" ")[1:]]
        object.__setattr__(self, "fields", {name: value for name, _, value in pairs})

    @property
    def op(self) -> str:
        return self.text.split(" ")[0]

    def number(self, name: str) -> int:
        return int(self.fields[name])

    def dtype(self, operand: str) -> str:
        return next(o.dtype for o in self.operands if o.name == operand)


class Launch:
    """A kernel made ready for one set of operands. `run` is the only thing that is timed."""

    def __init__(self, run: Callable[[], object], before: Optional[Callable[[], object]] = None,
                 after: Optional[Callable[[], object]] = None):
        self.run = run
        # Only called around launches whose result is judged: a kernel that keeps an operand in a layout of its own,
        # for which random content does as well as declared content, brings it there and back.
        self.before = before or (lambda: None)
        self.after = after or (lambda: None)


@dataclass(frozen=True)
class Kernel:
    op: str
    name: str
    prepare: Callable  # (case, **tensors by operand name) -> Launch, or the callable to time
    why_unsupported: Callable  # (case) -> reason, empty when it runs


class Framework:
    """A back end. Subclasses override what differs for their tensors and devices."""

    def __init__(self, backend: str, version: str):
        self.backend = backend
        self.version = version
        self.kernels: list = []  # best first per op

    def kernel(self, op: str, name: str, why_unsupported: Callable = lambda case: ""):
        """Decorator: adds a kernel of `op` that is called `name` in tables."""

        def add(prepare: Callable) -> Callable:
            self.kernels.append(Kernel(op, name, prepare, why_unsupported))
            return prepare

        return add

    def start(self, cores: list) -> None:
        """Called once, before anything else: one thread per core. Raises ImportError when something is missing."""

    def device(self, cores: list) -> dict:
        """What is measured on: id, name, memory_bytes, llc_bytes (0: unknown)."""
        return {"id": machine.cores_text(cores), "name": machine.model_name(), "memory_bytes": machine.memory_bytes(),
                "llc_bytes": machine.last_level_cache_bytes(cores)}

    # Of the protocol: direct for calls, graph and eager for devices with a queue; and what there is to say about it.
    launch_mode = "direct"
    launch_note = "called from Python"

    def timed_ms(self, launches: list) -> float:
        """Milliseconds of all launches together, from the first call to the end of the last one's work."""
        start = time.perf_counter()
        for run in launches:
            run()
        return 1e3 * (time.perf_counter() - start)

    def versions(self) -> dict:
        return {self.backend: self.version, "numpy": np.__version__}

    def tensor(self, memory: np.ndarray, dtype: str, shape: tuple):
        """A view of `memory` (uint8, the operand's bytes). Raises ValueError for a type the framework lacks."""
        types = {"float32": np.float32, "float16": np.float16, "int32": np.int32, "int8": np.int8}
        return memory.view(types[dtype]).reshape(shape) if dtype in types else memory

    def read_all(self, memory: np.ndarray) -> None:
        """Reads every byte, on all cores if it can: evicts the caches."""
        np.bitwise_or.reduce(memory.view(np.uint64))

    def measuring(self) -> contextlib.AbstractContextManager:
        """Around everything that prepares or launches."""
        return contextlib.nullcontext()
