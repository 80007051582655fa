// SPDX-License-Identifier: Apache-2.0
// NCCL, opened at run time.
#pragma once

#include <nccl.h>

#include <string>

#include "perfatlas/backends/cuda/dynamic_library.h"

namespace perfatlas {

/// The functions that are used.
struct NcclApi {
  decltype(ncclGetVersion)* version = nullptr;
  decltype(ncclGetErrorString)* error_string = nullptr;
  decltype(ncclGetLastError)* last_error = nullptr;
  decltype(ncclGetUniqueId)* unique_id = nullptr;
  decltype(ncclCommInitRank)* init_rank = nullptr;
  decltype(ncclCommAbort)* abort = nullptr;
  decltype(ncclAllReduce)* all_reduce = nullptr;
  decltype(ncclAllGather)* all_gather = nullptr;
  decltype(ncclReduceScatter)* reduce_scatter = nullptr;
  decltype(ncclSend)* send = nullptr;
  decltype(ncclRecv)* recv = nullptr;
  decltype(ncclGroupStart)* group_start = nullptr;
  decltype(ncclGroupEnd)* group_end = nullptr;
};

/// The library, or why there is none. The constructor does not throw and needs no driver.
class NcclLibrary {
 public:
  explicit NcclLibrary(const LibrarySearch& search);

  /// Empty when the library can be used.
  const std::string& reason() const { return reason_; }
  const std::string& path() const { return library_.path(); }
  /// "2.28.9"; empty when the library is missing.
  const std::string& version() const { return version_; }
  /// REQUIRES: reason() is empty.
  const NcclApi& api() const { return api_; }
  /// Throws Error with the call and the library's own words.
  void check(ncclResult_t result, const char* call) const;

 private:
  DynamicLibrary library_;
  NcclApi api_;
  std::string version_, reason_;
};

/// Ends a communicator without waiting for its other ranks.
struct NcclAbort {
  const NcclLibrary* library = nullptr;
  void operator()(ncclComm_t communicator) const { library->api().abort(communicator); }
};

}  // namespace perfatlas
