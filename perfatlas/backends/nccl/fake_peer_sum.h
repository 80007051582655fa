// SPDX-License-Identifier: Apache-2.0
// For tests: what PeerSum promises, on the host. The ranks meet by their signals before each sum, as the library's do.
#pragma once

#include <sched.h>

#include <atomic>

#include "perfatlas/backends/cuda/cuda_element.cuh"
#include "perfatlas/backends/cuda/fake_stream.h"
#include "perfatlas/backends/nccl/peer_sum.h"

namespace perfatlas {

template <class T>
class FakePeerSum final : public PeerSum {
 public:
  explicit FakePeerSum(PeerSumRequest request) : request_(std::move(request)) {}

  void launch(void* output, int64_t elements, Stream stream) override {
    static_cast<FakeStream*>(stream)->take([this, output, elements] {
      meet();
      for (int64_t i = 0; i < elements; ++i) {
        float sum = 0;
        for (const void* const input : request_.inputs) sum += to_float(static_cast<const T*>(input)[i]);
        static_cast<T*>(output)[i] = from_float<T>(sum);
      }
    });
  }

 private:
  /// Meetings that rank `of` knows rank `from` has come to.
  std::atomic<int>& meetings(size_t of, size_t from) const {
    return static_cast<std::atomic<int>*>(request_.signals[of])[from];
  }
  void meet() {
    ++met_;
    const auto self = size_t(request_.rank), ranks = size_t(request_.ranks);
    for (size_t peer = 0; peer < ranks; ++peer) ++meetings(peer, self);
    for (size_t peer = 0; peer < ranks; ++peer)
      while (meetings(self, peer) < met_) sched_yield();
  }

  PeerSumRequest request_;
  int met_ = 0;
};

inline const PeerSumLibrary* fake_peer_sums() {
  static constexpr PeerSumLibrary kLibrary{
      .version = "stand-in",
      .table_bytes = 64,
      .signal_bytes = [](size_t, int ranks) { return size_t(ranks) * sizeof(std::atomic<int>); },
      .make =
          [](const PeerSumRequest& request) {
            return with_wide_element(request.dtype, [&]<class T>(T) -> std::unique_ptr<PeerSum> {
              return std::make_unique<FakePeerSum<T>>(request);
            });
          }};
  return &kLibrary;
}

}  // namespace perfatlas
