# SPDX-License-Identifier: Apache-2.0
"""Which files of the checkout the lint scripts look at: tracked or new, but never ignored by git."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CXX_SUFFIXES = {".h", ".cpp", ".cu", ".cuh"}


def listed(root):
    """Paths relative to `root`, sorted. Falls back to a walk without build/ where there is no git checkout."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        out = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        names = {name for name in out.split("\0") if name}
    except (OSError, subprocess.CalledProcessError):
        names = set()
        for folder, folders, files in os.walk(root):
            folders[:] = [f for f in folders if f not in {"build", "out", ".git", "__pycache__"}]
            names |= {os.path.relpath(os.path.join(folder, f), root) for f in files}
    return sorted(Path(name) for name in names if (root / name).is_file())


def cxx(root):
    """The C++ and CUDA sources among them."""
    return [path for path in listed(root) if path.suffix in CXX_SUFFIXES]


if __name__ == "__main__":
    # Prints the C++ files, NUL-separated, for xargs -0.
    sys.stdout.write("".join(f"{path}\0" for path in cxx(ROOT)))
