// SPDX-License-Identifier: Apache-2.0
// Which kernels really ran, and for how long: CUPTI's activity records, opened at run time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "perfatlas/backends/cuda/dynamic_library.h"

namespace perfatlas {

struct KernelActivity {
  std::string name;  // as compiled: mangled where the library mangles
  double us = 0;     // on the device
};

/// Records are kept only while record() runs: attached, CUPTI slows every launch down.
class CuptiTrace {
 public:
  /// Does not throw; see reason().
  explicit CuptiTrace(const LibrarySearch& search);
  ~CuptiTrace();
  CuptiTrace(const CuptiTrace&) = delete;
  CuptiTrace& operator=(const CuptiTrace&) = delete;

  /// Why there are no records, or empty.
  const std::string& reason() const;
  const std::string& path() const;

  /// The kernels of `work`, in the order in which they began; `work` waits for them. Throws what `work` throws; what
  /// CUPTI does not allow (profiling is a privilege on some machines) gives nothing and sets reason().
  /// REQUIRES: reason() is empty; one trace per process at a time.
  std::vector<KernelActivity> record(const std::function<void()>& work);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// "kernels: nvjet_hsh (12.30 us), splitk_reduce (1.10 us)"; empty for none.
std::string kernels_text(const std::vector<KernelActivity>& kernels);

}  // namespace perfatlas
