// SPDX-License-Identifier: Apache-2.0
// NCCL, opened at run time.
#pragma once

#include <nccl.h>

#include "perfatlas/backends/cuda/vendor_library.h"

namespace perfatlas {

/// The functions that are used.
struct NcclApi {
  static LibraryRequest request();
  DynamicLibrary library;
  decltype(ncclGetVersion)* version = library.require("ncclGetVersion");
  decltype(ncclGetErrorString)* error_string = library.require("ncclGetErrorString");
  decltype(ncclGetLastError)* last_error = library.accept("ncclGetLastError");  // since 2.13
  decltype(ncclGetUniqueId)* unique_id = library.require("ncclGetUniqueId");
  decltype(ncclCommInitRank)* init_rank = library.require("ncclCommInitRank");
  decltype(ncclCommAbort)* abort = library.require("ncclCommAbort");
  decltype(ncclAllReduce)* all_reduce = library.require("ncclAllReduce");
  decltype(ncclAllGather)* all_gather = library.require("ncclAllGather");
  decltype(ncclReduceScatter)* reduce_scatter = library.require("ncclReduceScatter");
  decltype(ncclSend)* send = library.require("ncclSend");
  decltype(ncclRecv)* recv = library.require("ncclRecv");
  decltype(ncclGroupStart)* group_start = library.require("ncclGroupStart");
  decltype(ncclGroupEnd)* group_end = library.require("ncclGroupEnd");
};

/// The library, or why there is none.
class NcclLibrary : public VendorLibrary<NcclApi> {
 public:
  explicit NcclLibrary(const LibrarySearch& search);
  /// Throws Error with the call and the library's own words.
  void check(ncclResult_t result, const char* call) const;
};

/// Ends a communicator without waiting for its other ranks.
struct NcclAbort {
  const NcclLibrary* library = nullptr;
  void operator()(ncclComm_t communicator) const { library->api().abort(communicator); }
};

}  // namespace perfatlas
