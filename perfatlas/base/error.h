// SPDX-License-Identifier: Apache-2.0
// The two kinds of exception in perfatlas. Expected outcomes (a skipped case, a missing cell) are values instead.
#pragma once

#include <stdexcept>
#include <string>

namespace perfatlas {

/// Something outside the program is wrong: a file, a device, a full disk. The text is one line that says what is
/// wrong, where, and what to do about it. Caught only in `main`, in the worker loop and at the Python boundary;
/// ends a command with exit code 1.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what_where_remedy) : std::runtime_error(what_where_remedy) {}
};

/// The user asked for something that does not exist or does not parse. Same text rule; exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace perfatlas

/// A programmer's mistake, never bad input. Prints the condition and aborts, in every build type.
#define PERFATLAS_ASSERT(condition) \
  ((condition) ? void(0) : ::perfatlas::assertion_failed(#condition, __FILE__, __LINE__))
