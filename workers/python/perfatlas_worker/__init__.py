# SPDX-License-Identifier: Apache-2.0
"""Workers of perfatlas in Python: the protocol and the measuring once, one module per framework.

A framework module makes a `FRAMEWORK` (framework.py) and adds kernels to it; numpy_example.py is the smallest one.
__main__.py starts it.
"""
