// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/error.h"

#include <cstdio>
#include <cstdlib>

namespace perfatlas {

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: internal error: %s does not hold; please report this line\n", file, line,
               condition);
  std::abort();
}

}  // namespace perfatlas
