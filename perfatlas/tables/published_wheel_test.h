// SPDX-License-Identifier: Apache-2.0
// The published data that data tests read: the wheel that PERFATLAS_WHEEL names, else that of tools/get_wheel.sh.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace perfatlas {

/// Empty when there is none, or when PERFATLAS_WHEEL is set to nothing.
inline std::string published_wheel() {
  if (const char* const named = std::getenv("PERFATLAS_WHEEL"); named != nullptr) return named;
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::path(PERFATLAS_TEST_DATA) / "../build/wheel";
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".whl") return it->path().lexically_normal().string();
  return {};
}

}  // namespace perfatlas

/// First statement of a test that needs the published data.
#define PERFATLAS_NEED_WHEEL()                \
  if (::perfatlas::published_wheel().empty()) \
  GTEST_SKIP() << "no published wheel: run tools/get_wheel.sh or set PERFATLAS_WHEEL"
