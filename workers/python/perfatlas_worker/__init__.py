# SPDX-License-Identifier: Apache-2.0
"""Workers of perfatlas in Python: the protocol and the measuring once, one module per framework.

A framework module makes a `Framework` (framework.py), adds kernels to it and calls `run` (protocol.py). numpy_example.py
is the smallest one.
"""
