# SPDX-License-Identifier: Apache-2.0
"""Memory of operands: seeded content, slices that a serving step would find in memory, eviction of caches."""
import mmap

import numpy as np

from .framework import Operand

# Bytes streamed between two uses of a buffer, over the size of the last-level cache: least-recently-used replacement
# then keeps none of them.
STREAM_OVER_CACHE = 1.25
USABLE_MEMORY = 0.85  # share of the device's memory that operands may take
GUARD = np.full(256, 0x3C, np.uint8)  # follows operands whose overrun is looked for

_POOL_BYTES = 32 << 20
_HUGE_PAGE = 2 << 20


class OutOfMemory(Exception):
    pass


def allocate(count: int) -> np.ndarray:
    """Fresh bytes, aligned to a page, to a huge one when there are many."""
    unit = _HUGE_PAGE if count >= _HUGE_PAGE else mmap.PAGESIZE
    block = mmap.mmap(-1, count + unit)
    if unit == _HUGE_PAGE and hasattr(mmap, "MADV_HUGEPAGE"):
        block.madvise(mmap.MADV_HUGEPAGE)
    memory = np.frombuffer(block, np.uint8)
    start = -memory.ctypes.data % unit
    return memory[start:start + count]


def load(operand: Operand, memory: np.ndarray) -> None:
    """The content of the operand's file. Raises ValueError when it is not of the operand's size."""
    content = np.fromfile(operand.content, np.uint8)
    if len(content) != operand.bytes:
        raise ValueError(f"operand {operand.name}: {operand.content} has {len(content)} bytes, not {operand.bytes}")
    memory[:] = content


class RandomElements:
    """Seeded normal values of every type, made once and repeated at varying offsets."""

    def __init__(self, seed: int = 1):
        self._numbers = np.random.default_rng(seed)
        self._pools: dict = {}

    def fill(self, memory: np.ndarray, dtype: str) -> None:
        if dtype not in self._pools:
            self._pools[dtype] = self._make(dtype)
        pool = self._pools[dtype]
        for at in range(0, len(memory), len(pool)):
            # Whole elements of any type: a multiple of 64 bytes.
            turn = int(self._numbers.integers(len(pool) // 64)) * 64
            part = memory[at:at + len(pool)]
            head = min(len(part), len(pool) - turn)
            part[:head] = pool[turn:turn + head]
            part[head:] = pool[:len(part) - head]

    def positive(self, memory: np.ndarray, dtype: str) -> None:
        """uniform(0.5, 1.5): scales and norm weights."""
        count = len(memory) * 8 // _BITS_OF_FLOATS[dtype]
        memory[:] = encode(self._numbers.uniform(0.5, 1.5, count).astype(np.float32), dtype)

    def _make(self, dtype: str) -> np.ndarray:
        if dtype in ("fp4", "int4"):
            return self._numbers.integers(0, 256, _POOL_BYTES, np.uint8)
        count = _POOL_BYTES * 8 // _BITS_OF_FLOATS.get(dtype, 8)
        values = self._numbers.standard_normal(count, np.float32)
        return encode(values * 32 if dtype == "int8" else values, dtype)


_BITS_OF_FLOATS = {"float32": 32, "tfloat32": 32, "float16": 16, "bfloat16": 16, "fp8": 8}


def encode(values: np.ndarray, dtype: str) -> np.ndarray:
    """Bytes of float32 values as elements of a type, rounded to nearest. Raises ValueError for other types."""
    if dtype in ("float32", "tfloat32"):
        return values.view(np.uint8)
    if dtype == "float16":
        return values.astype(np.float16).view(np.uint8)
    if dtype == "int8":
        return np.clip(np.rint(values), -127, 127).astype(np.int8).view(np.uint8)
    if dtype == "bfloat16":
        bits = values.view(np.uint32)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16).view(np.uint8)
    if dtype == "fp8":  # e4m3: 2^(e-7) * (1 + m/8), subnormal 2^-6 * m/8, code 0x7f is no number
        codes = np.arange(0x7F)
        exponent, mantissa = codes >> 3, (codes & 7) / 8
        magnitudes = np.where(exponent > 0, 2.0**(exponent - 7) * (1 + mantissa), 2.0**-6 * mantissa)
        nearest = np.searchsorted((magnitudes[1:] + magnitudes[:-1]) / 2, np.abs(values)).astype(np.uint8)
        return nearest | (np.signbit(values).astype(np.uint8) << 7)
    raise ValueError(f"no values of type {dtype} can be made here")


class StreamArenas:
    """Per element type a ring of random elements, larger than the last-level cache. A slice is handed out again only
    after the rest of the ring has been."""

    def __init__(self, random: RandomElements, target_bytes: float):
        self._random = random
        self._capacity = int(target_bytes) + (64 << 20)
        self._rings: dict = {}
        self._at: dict = {}

    def bytes(self) -> int:
        return sum(len(ring) for ring in self._rings.values())

    def reserve(self, dtype: str, count: int) -> int:
        """Bytes of the ring of a type after it was grown to hold `count`."""
        if len(self._rings.get(dtype, ())) < count:
            self._rings.pop(dtype, None)
            self._rings[dtype] = allocate(max(self._capacity, count))
            self._random.fill(self._rings[dtype], dtype)
            self._at[dtype] = 0
        return len(self._rings[dtype])

    def slice(self, dtype: str, count: int) -> np.ndarray:
        """REQUIRES: reserve(dtype, count)."""
        unit = mmap.PAGESIZE if count >= (64 << 10) else 256
        size = (count + unit - 1) // unit * unit
        at = self._at[dtype] if self._at[dtype] + size <= len(self._rings[dtype]) else 0
        self._at[dtype] = at + size
        return self._rings[dtype][at:at + count]
