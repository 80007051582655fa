// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace perfatlas {

/// For programs that read much, answer once and end: the heap comes in large pages where the system has them, and what
/// is freed stays in it. A page fault takes two microseconds on a virtual machine, and a table of 100,000 rows is
/// thousands of small pages. Does nothing where the C library is not glibc. Call it before other threads are started.
void use_large_pages();

}  // namespace perfatlas
