// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/nccl/nccl_library.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"

namespace perfatlas {

LibraryRequest NcclApi::request() {
  return {.name = "NCCL", .files = {"libnccl.so.2"}, .wheel_folders = {"nccl/lib"}, .more_folders = {}};
}

NcclLibrary::NcclLibrary(const LibrarySearch& search) : VendorLibrary(search) {
  if (!reason().empty()) return;
  int number = 0;
  const ncclResult_t result = api().version(&number);
  set_version(number);
  if (result != ncclSuccess)
    set_reason(fmt::format("ncclGetVersion of {} failed: {}", path(), api().error_string(result)));
}

void NcclLibrary::check(ncclResult_t result, const char* call) const {
  if (result == ncclSuccess) return;
  std::string more = api().last_error == nullptr ? "" : api().last_error(nullptr);
  if (!more.empty()) more = "; " + more;
  throw Error(fmt::format("{} failed: {}{}", call, api().error_string(result), more));
}

}  // namespace perfatlas
