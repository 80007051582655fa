// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/nccl/peer_sum.h"

#if __has_include(<flashinfer/comm/vllm_custom_all_reduce.cuh>)
#include <algorithm>
#include <flashinfer/comm/vllm_custom_all_reduce.cuh>

#include "perfatlas/backends/cuda/cuda_call.h"
#include "perfatlas/backends/cuda/cuda_element.cuh"

namespace perfatlas {
namespace {

/// One entry: where the inputs lie.
constexpr size_t kTableBytes = sizeof(vllm::RankData);
constexpr size_t kPack = 16;  // bytes that a thread reads at once

/// In two stages a rank shows the sums of its part, behind its signals; the last one's part is the largest.
size_t signal_bytes(size_t message_bytes, int ranks) {
  const size_t packs = message_bytes / kPack;
  return sizeof(vllm::Signal) + (packs / size_t(ranks) + packs % size_t(ranks)) * kPack;
}

/// What the library throws becomes Error.
template <class Call>
void checked(const Call& call) {
  try {
    call();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(fmt::format("FlashInfer's vLLM all-reduce: {}", error.what()));
  }
}

template <class T>
class VllmSum final : public PeerSum {
 public:
  explicit VllmSum(PeerSumRequest request)
      : input_(static_cast<T*>(request.inputs[size_t(request.rank)])),
        signals_(request.signals.size()),
        sums_(signals_of(request), request.table, kTableBytes, request.rank, request.ranks,
              /*full_nvlink=*/true) {  // without, the library launches nothing for more than two ranks
    checked([&] { sums_.register_buffer(request.inputs.data()); });
    // The copy to the table may still be under way on the default stream, which ours does not wait for.
    PERFATLAS_CUDA(cudaStreamSynchronize(nullptr));
    // A launch that is captured reads the entry behind those that are registered: frameworks learn what their graph
    // reads, and fill that entry, when the capture has ended. Here it is known before, and the same for all launches.
    --sums_.d_rank_data_base_;
  }

  void launch(void* output, int64_t elements, Stream stream) override {
    checked([&] {
      sums_.template allreduce<T>(static_cast<cudaStream_t>(stream), input_, static_cast<T*>(output),
                                  int(elements), vllm::kMaxBlocks);
    });
    sums_.graph_unreg_buffers_.clear();  // so that the next launch reads the same entry
    PERFATLAS_CUDA(cudaGetLastError());
  }

 private:
  vllm::Signal** signals_of(const PeerSumRequest& request) {
    std::transform(request.signals.begin(), request.signals.end(), signals_.begin(),
                   [](void* signals) { return static_cast<vllm::Signal*>(signals); });
    return signals_.data();
  }

  T* input_;
  std::vector<vllm::Signal*> signals_;
  vllm::CustomAllreduce sums_;
};

std::unique_ptr<PeerSum> make(const PeerSumRequest& request) {
  return with_wide_element(request.dtype, [&]<class T>(T) -> std::unique_ptr<PeerSum> {
    return std::make_unique<VllmSum<T>>(request);
  });
}

}  // namespace

const PeerSumLibrary* flashinfer_peer_sums() {
  static constexpr PeerSumLibrary kLibrary{PERFATLAS_FLASHINFER, kTableBytes, &signal_bytes, &make};
  return &kLibrary;
}

}  // namespace perfatlas

#else

namespace perfatlas {
const PeerSumLibrary* flashinfer_peer_sums() { return nullptr; }
}  // namespace perfatlas

#endif
