// SPDX-License-Identifier: Apache-2.0
// perfatlas-schema-lock [--update] FILE: compares the committed columns of every table with the declarations.
#include <cstdio>
#include <string_view>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/store/schema_lock.h"

namespace perfatlas {
namespace {

int check_lock(const std::string& path, bool update) {
  const OpRegistry ops = all_ops();
  const auto problems = compare_schema_lock(ops, file_exists(path) ? read_file(path) : "");
  for (const std::string& line : problems.breaking)
    std::fprintf(stderr, "%s: %s\n", path.c_str(), line.c_str());
  if (!problems.breaking.empty()) return 1;
  if (update) {
    replace_file(path, schema_lock_text(ops));
    return 0;
  }
  for (const std::string& line : problems.stale)
    std::fprintf(stderr, "%s: %s; run perfatlas-schema-lock --update %s and commit it\n", path.c_str(),
                 line.c_str(), path.c_str());
  return problems.stale.empty() ? 0 : 1;
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  const bool update = argc == 3 && std::string_view(argv[1]) == "--update";
  if (argc != 2 && !update) {
    std::fprintf(stderr, "usage: perfatlas-schema-lock [--update] FILE\n");
    return 2;
  }
  try {
    return perfatlas::check_lock(argv[argc - 1], update);
  } catch (const perfatlas::Error& error) {
    std::fprintf(stderr, "perfatlas-schema-lock: %s\n", error.what());
    return 1;
  }
}
