# SPDX-License-Identifier: Apache-2.0
"""The cores that a worker measures on, as the worker for C++ kernels describes them."""
import glob
import os
import re


def parse_cores(text: str) -> list:
    """"0-1" or "0,2-3"; empty: every core this process may use. Raises ValueError."""
    allowed = sorted(os.sched_getaffinity(0))
    if not text:
        return allowed
    cores = set()
    for part in text.split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if not match or int(match[2] or match[1]) < int(match[1]):
            raise ValueError(f"device '{text}' is not a set of core numbers such as 0-3 or 0,2-3")
        cores.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    missing = sorted(cores - set(allowed))
    if missing:
        raise ValueError(f"device {text}: core {missing[0]} is not there or not allowed to this process")
    return sorted(cores)


def pin(cores: list) -> None:
    """Keeps this process and the threads of libraries that are loaded later on the cores, one thread each."""
    os.sched_setaffinity(0, cores)
    places = ",".join(f"{{{core}}}" for core in cores)
    count = str(len(cores))
    os.environ.update(OMP_NUM_THREADS=count, OMP_PLACES=places, OMP_PROC_BIND="true", OMP_DYNAMIC="false",
                      OPENBLAS_NUM_THREADS=count, MKL_NUM_THREADS=count)


def model_name() -> str:
    return _proc_value("/proc/cpuinfo", "model name") or "unknown CPU"


def memory_bytes() -> float:
    """Of the machine, or less when a control group limits this process."""
    total = float((_proc_value("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) * 1024
    for line in _lines("/proc/self/cgroup"):
        number, controllers, path = line.split(":", 2)
        version2 = number == "0" and not controllers
        if not version2 and controllers != "memory":
            continue
        root = "/sys/fs/cgroup" if version2 else "/sys/fs/cgroup/memory"
        name = "memory.max" if version2 else "memory.limit_in_bytes"
        while True:
            limit = _lines(os.path.join(root, path.lstrip("/"), name))
            if limit and limit[0].isdigit():
                total = min(total, float(limit[0]))
            if path in ("/", ""):
                break
            path = os.path.dirname(path)
    return total


def last_level_cache_bytes(cores: list) -> float:
    """Of all instances that the cores use; 0: unknown."""
    last, instances = 0, {}
    for core in cores:
        for folder in glob.glob(f"/sys/devices/system/cpu/cpu{core}/cache/index*"):
            kind, level, size, shared = (_first_line(folder, name) for name in
                                         ("type", "level", "size", "shared_cpu_list"))
            match = re.fullmatch(r"(\d+)([KM]?)", size)
            if kind == "Instruction" or not level.isdigit() or not match or int(level) < last:
                continue
            if int(level) > last:
                last, instances = int(level), {}
            instances[shared] = int(match[1]) * {"": 1, "K": 1 << 10, "M": 1 << 20}[match[2]]
    return float(sum(instances.values()))


def _lines(path: str) -> list:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()
    except OSError:
        return []


def _first_line(folder: str, name: str) -> str:
    return (_lines(os.path.join(folder, name)) or [""])[0]


def _proc_value(path: str, key: str):
    for line in _lines(path):
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None


def cores_text(cores: list) -> str:
    """"0-1,4"."""
    parts: list = []
    for core in cores:
        if parts and core == parts[-1][1] + 1:
            parts[-1][1] = core
        else:
            parts.append([core, core])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)
