# SPDX-License-Identifier: Apache-2.0
"""Turns one case and one kernel into timed samples, in the cache states of docs/measuring.md:

serving  weights and KV cache come from memory, because every launch uses others: as many sets of operands are rotated as
         exceed the last-level cache. Where the launches of a request are fewer, no set is used twice without evicting
         the caches in between. Activations stay warm.
hot      one set of operands, again and again
cold     every launch after an eviction, timed by itself
"""
import gc
import math
import mmap
import time

import numpy as np

from .framework import Case, Framework, Kernel, Launch
from .memory import GUARD, STREAM_OVER_CACHE, USABLE_MEMORY, OutOfMemory, RandomElements, StreamArenas, allocate, load

MOST_SETS = 4096  # operand sets of one case: making one costs microseconds to milliseconds
MOST_LAUNCHES = 1 << 20


class Store:
    """Memory that outlives cases."""

    def __init__(self, memory_bytes: float, llc_bytes: float):
        self.memory_bytes = memory_bytes
        self.llc_bytes = llc_bytes
        self.target_bytes = STREAM_OVER_CACHE * llc_bytes
        self.random = RandomElements()
        self.arenas = StreamArenas(self.random, self.target_bytes)
        self._eviction = None

    def evict(self, framework: Framework) -> None:
        if not self.llc_bytes:
            raise ValueError("the size of the last-level cache is unknown here; use --cache hot")
        if self._eviction is None:
            self._eviction = allocate(int(self.target_bytes) // 8 * 8)
            self._eviction[:] = 1  # untouched pages would all be the one page of zeros
        framework.read_all(self._eviction)

    def require(self, needed: float) -> None:
        usable = USABLE_MEMORY * self.memory_bytes
        if needed > usable:
            raise OutOfMemory(f"out of memory: {needed / 2**30:.2f} GiB are needed, {usable / 2**30:.2f} GiB may be "
                              "used for operands; choose smaller sizes")


def prepare(framework: Framework, kernel: Kernel, case: Case, memory: dict) -> Launch:
    tensors = {o.name: framework.tensor(memory[o.name], o.dtype, o.shape) for o in case.operands}
    made = kernel.prepare(case, **tensors)
    return made if isinstance(made, Launch) else Launch(made)


class OperandSets:
    """The operand sets of one case and their turn. Weights and KV cache differ from set to set, the rest is shared."""

    def __init__(self, framework: Framework, kernel: Kernel, case: Case, cache: str, store: Store):
        self._framework, self._kernel, self._case, self._store = framework, kernel, case, store
        streamed = [o for o in case.operands if o.streamed]
        record = sum(o.bytes for o in streamed)  # of one set, in the declared layout
        self.set_bytes = sum(o.bytes for o in case.operands)
        self._per_launch = min(case.streamed_bytes or record, record)
        self.rotates = cache == "serving" and record > 0
        if self.rotates and not store.llc_bytes:
            raise ValueError("the serving cache state needs the size of the last-level cache, which is unknown here; "
                             "use --cache hot")
        target = store.target_bytes if self.rotates else 0
        # Twice: the declared operands, and what a kernel makes of them in its own layout.
        store.require(self.set_bytes + 2 * max(2 * record, target))
        room = self._reserve(streamed)
        copies = math.ceil(target / self._per_launch) if self.rotates else 1
        self._most = max(2, min(copies, room, MOST_SETS))
        self._shared = {o.name: self._shared_memory(o) for o in case.operands if not o.streamed}
        self.warm = self._make()  # hot launches, and the one that follows an eviction
        self._sets: list = []
        self._next = 0
        self._unused = 0  # sets in turn that no launch has used since the last eviction

    def _reserve(self, streamed: list) -> int:
        """Makes room for two sets at least; how many fit."""
        records: dict = {}
        for operand in streamed:
            records[operand.dtype] = records.get(operand.dtype, 0) + operand.bytes + mmap.PAGESIZE
        return min((self._store.arenas.reserve(dtype, 2 * record) // record for dtype, record in records.items()),
                   default=1)

    def _shared_memory(self, operand) -> np.ndarray:
        memory = allocate(operand.bytes)
        if operand.content:
            load(operand, memory)
        elif operand.fill == "positive":
            self._store.random.positive(memory, operand.dtype)
        else:
            self._store.random.fill(memory, operand.dtype)
        return memory

    def _make(self) -> Launch:
        memory = dict(self._shared)
        for operand in self._case.operands:
            if operand.streamed:
                memory[operand.name] = self._store.arenas.slice(operand.dtype, operand.bytes)
        return prepare(self._framework, self._kernel, self._case, memory)

    def grow(self, launches: int) -> None:
        """Makes sets until as many launches need none twice, or there are enough of them."""
        wanted = min(launches, self._most) if self.rotates else 0
        if len(self._sets) >= wanted:
            return
        while len(self._sets) < wanted:
            self._sets.append(self._make())
        self._next = self._unused = 0  # what was made last is still in the caches: begin with the first

    @property
    def short(self) -> bool:
        """All sets together do not exceed the cache: none may be used twice without an eviction."""
        return len(self._sets) * self._per_launch < self._store.target_bytes

    @property
    def bytes_touched(self) -> float:
        """Between two uses of the same set."""
        if not self.rotates:
            return float(self.set_bytes)
        return float(self._store.target_bytes if self.short else len(self._sets) * self._per_launch)

    def most_launches(self) -> int:
        """Of one repetition."""
        return len(self._sets) if self.rotates and self.short else MOST_LAUNCHES

    def take(self, count: int) -> list:
        """The callables of the next launches."""
        if not self.rotates:
            return [self.warm.run] * count
        if self.short and self._unused < count:
            self._store.evict(self._framework)
            self.warm.run()
            self._unused = len(self._sets)
        turn = [self._sets[(self._next + i) % len(self._sets)].run for i in range(count)]
        self._next = (self._next + count) % len(self._sets)
        self._unused -= count
        return turn


class PreparedCase:
    """One case that can be sampled again and again."""

    def __init__(self, framework: Framework, kernel: Kernel, case: Case, cache: str, store: Store):
        self._framework, self._cache, self._store = framework, cache, store
        with framework.measuring():
            self._sets = OperandSets(framework, kernel, case, cache, store)
        self._launch_ms = 0.0

    def sample(self, warmups: int, repetitions: int, min_sample_ms: float, max_total_ms: float) -> dict:
        with self._framework.measuring():
            self._warm_up(warmups, max_total_ms)
            launches = self._launches(min_sample_ms)
            self._sets.grow(min(launches * repetitions, launches + int(max_total_ms / self._launch_ms)))
            launches = min(launches, self._sets.most_launches())
            latency_ms: list = []
            gc.collect()
            gc.disable()
            measured_ms = 0.0
            while not latency_ms or (len(latency_ms) < repetitions and measured_ms < max_total_ms):
                repetition_ms = self._repetition_ms(launches)
                measured_ms += repetition_ms
                latency_ms.append(repetition_ms / launches)
            gc.enable()
        return {"latency_ms": latency_ms, "launches_per_sample": launches, "bytes_touched": self._sets.bytes_touched,
                "cache": self._cache}

    def _warm_up(self, warmups: int, max_total_ms: float) -> None:
        start = time.perf_counter()
        done = 0
        while done < max(warmups, 0 if self._launch_ms else 1) and (done == 0 or _ms_since(start) < max_total_ms):
            took = max(self._framework.timed_ms([self._sets.warm.run]), 1e-4)
            self._launch_ms = min(self._launch_ms or took, took)
            done += 1

    def _launches(self, min_sample_ms: float) -> int:
        if self._cache == "cold":
            return 1
        return min(max(1, math.ceil(min_sample_ms / self._launch_ms)), MOST_LAUNCHES)

    def _repetition_ms(self, launches: int) -> float:
        if self._cache == "cold":
            self._store.evict(self._framework)
        return self._framework.timed_ms(self._sets.take(launches))


def _ms_since(start: float) -> float:
    return 1e3 * (time.perf_counter() - start)


def launch_once(framework: Framework, kernel: Kernel, case: Case) -> list:
    """Runs the kernel on the content of the operands' files and writes all of them back. The names of operands beyond
    whose end it wrote."""
    blocks = {}
    for operand in case.operands:
        blocks[operand.name] = allocate(operand.bytes + len(GUARD))
        load(operand, blocks[operand.name][:operand.bytes])
        blocks[operand.name][operand.bytes:] = GUARD
    with framework.measuring():
        launch = prepare(framework, kernel, case, {o.name: blocks[o.name][:o.bytes] for o in case.operands})
        launch.before()
        launch.run()
        launch.after()
    for operand in case.operands:
        blocks[operand.name][:operand.bytes].tofile(operand.content)
    return [o.name for o in case.operands if (blocks[o.name][o.bytes:] != GUARD).any()]
