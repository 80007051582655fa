// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/nccl/nccl_library.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

LibraryRequest nccl_request() {
  return {.name = "NCCL", .files = {"libnccl.so.2"}, .wheel_folders = {"nccl/lib"}, .more_folders = {}};
}

NcclApi load_api(DynamicLibrary& library) {
  NcclApi api;
  library.require(api.version, "ncclGetVersion");
  library.require(api.error_string, "ncclGetErrorString");
  library.accept(api.last_error, "ncclGetLastError");  // since 2.13
  library.require(api.unique_id, "ncclGetUniqueId");
  library.require(api.init_rank, "ncclCommInitRank");
  library.require(api.abort, "ncclCommAbort");
  library.require(api.all_reduce, "ncclAllReduce");
  library.require(api.all_gather, "ncclAllGather");
  library.require(api.reduce_scatter, "ncclReduceScatter");
  library.require(api.send, "ncclSend");
  library.require(api.recv, "ncclRecv");
  library.require(api.group_start, "ncclGroupStart");
  library.require(api.group_end, "ncclGroupEnd");
  return api;
}

/// ncclGetVersion since 2.9: major * 10000 + minor * 100 + patch.
std::string version_text(int version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

}  // namespace

NcclLibrary::NcclLibrary(const LibrarySearch& search)
    : library_(nccl_request(), search), api_(load_api(library_)), reason_(library_.reason()) {
  if (!reason_.empty()) return;
  int version = 0;
  const ncclResult_t result = api_.version(&version);
  version_ = version_text(version);
  if (result != ncclSuccess)
    reason_ = fmt::format("ncclGetVersion of {} failed: {}", library_.path(), api_.error_string(result));
}

void NcclLibrary::check(ncclResult_t result, const char* call) const {
  if (result == ncclSuccess) return;
  std::string more = api_.last_error == nullptr ? "" : api_.last_error(nullptr);
  if (!more.empty()) more = "; " + more;
  throw Error(fmt::format("{} failed: {}{}", call, api_.error_string(result), more));
}

}  // namespace perfatlas
