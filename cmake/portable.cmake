# SPDX-License-Identifier: Apache-2.0
# PERFATLAS_PORTABLE: executables that start on any x86-64 Linux whose glibc is at least the build machine's, with
# nothing installed there: everything else is linked statically (static_libraries.cmake; fmt, which Debian ships as a
# shared library only, from its headers).
add_link_options(-static-libstdc++ -static-libgcc -Wl,--as-needed)

target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY=1)
