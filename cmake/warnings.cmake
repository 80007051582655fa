# SPDX-License-Identifier: Apache-2.0
# perfatlas_flags: warning and sanitizer flags of every target of the project.
add_library(perfatlas_flags INTERFACE)
target_compile_options(perfatlas_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Werror -Wno-missing-field-initializers>)
if(PERFATLAS_SANITIZE)
  target_compile_options(perfatlas_flags INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${PERFATLAS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all>
    # With sanitizers GCC takes values for uninitialised that are not (its manual says so).
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized>)
  target_link_options(perfatlas_flags INTERFACE -fsanitize=${PERFATLAS_SANITIZE})
endif()
