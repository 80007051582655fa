# SPDX-License-Identifier: Apache-2.0
"""The program of every worker: `python -m perfatlas_worker MODULE [--devices DEVICE] [--protocol-fds IN,OUT]`.

MODULE is a module of this package with a `FRAMEWORK`. It is imported when this process is bound to its cores, because
libraries start their threads when they are loaded. Ends with 0 when the input ended and 2 for wrong usage, a missing
framework included.
"""
import argparse
import importlib
import os
import re
import sys

from . import machine


GPU_MODULES = ("vllm", "sglang", "trtllm")  # their device is a GPU: --devices cuda:0


def main() -> int:
    options = parse_arguments()
    if options.protocol_fds is None and sys.stdin.isatty():
        print(__doc__, file=sys.stderr)
        return 2
    requests, answers = open_channel(options.protocol_fds)
    try:
        cores = [] if options.module in GPU_MODULES else machine.parse_cores(options.devices)
        if cores:
            machine.pin(cores)
        framework = importlib.import_module(f"{__package__}.{options.module}").FRAMEWORK
        if options.module in GPU_MODULES:
            framework.select(options.devices or "cuda:0")
        framework.start(cores)
    except (ValueError, ImportError) as error:
        print(f"worker {options.module}: {error}", file=sys.stderr)
        return 2
    from .protocol import Worker, serve  # loads numpy
    serve(Worker(framework, cores), requests, answers)
    return 0


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="perfatlas_worker", description="Measures kernels of a framework. Started by perfatlas collect, bench and "
        "check; reads one JSON request per line and writes one JSON answer per line, until its input ends.")
    parser.add_argument("module", help="numpy_example, vllm_cpu; not run yet: vllm, sglang, trtllm")
    parser.add_argument("--devices", default="", metavar="DEVICE",
                        help="cores to measure on: 0-1 or 0,2-3 (default: all); a GPU: cuda:0")
    parser.add_argument("--protocol-fds", metavar="IN,OUT", type=descriptors,
                        help="open descriptors for requests and answers (default: the standard streams)")
    return parser.parse_args()


def descriptors(text: str):
    match = re.fullmatch(r"(\d+),(\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not two open descriptors such as 3,4")
    return int(match[1]), int(match[2])


def open_channel(fds):
    """Binary files for requests and answers. Whatever libraries print to standard output goes to standard error."""
    if fds is None:
        fds = 0, os.dup(1)
        os.dup2(2, 1)
    for descriptor in fds:
        os.set_inheritable(descriptor, False)
    return os.fdopen(fds[0], "rb"), os.fdopen(fds[1], "wb")


if __name__ == "__main__":
    sys.exit(main())
