// SPDX-License-Identifier: Apache-2.0
// How much of what oneDNN reaches in a hand-written loop do the samples of perfatlas show? Both run the same matmul
// primitive in turns in one process, hot (one set of buffers) and serving (weights rotate over copies that exceed the
// last-level cache). Prints medians and their ratio. Usage: gemm_hand_loop [dtype [m n k]]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "bench/bench_main.h"
#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/cpu/cpu_kernels.h"
#include "perfatlas/backends/harness.h"
#include "perfatlas/backends/operand_fill.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

using dnnl::memory;

constexpr int kRounds = 12;
constexpr int kLaunchesPerRound = 5;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// The loop a user of oneDNN would write: C++ API, packed weights, library-managed scratchpad.
class HandLoop {
 public:
  HandLoop(const Gemm& gemm, size_t copies, const OnednnContext& onednn)
      : stream_(onednn.stream), description_(describe(gemm, onednn)), matmul_(description_) {
    const Operands operands = gemm.operands();
    const auto filled = [&](const memory::desc& desc, DType dtype) {
      memory buffer(desc, onednn.engine);
      const auto bytes = random_elements(dtype, size_t(double(desc.get_size()) / bytes_of(dtype)), 1);
      std::copy(bytes.begin(), bytes.end(), static_cast<std::byte*>(buffer.get_data_handle()));
      return buffer;
    };
    a_ = filled(description_.src_desc(), operands[0].dtype);
    d_ = memory(description_.dst_desc(), onednn.engine);
    for (size_t i = 0; i < copies; ++i)
      weights_.push_back(filled(description_.weights_desc(), operands[1].dtype));
  }

  double run_ms() {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kLaunchesPerRound; ++i) {
      matmul_.execute(stream_, {{DNNL_ARG_SRC, a_}, {DNNL_ARG_WEIGHTS, weights_[next_]}, {DNNL_ARG_DST, d_}});
      stream_.wait();
      next_ = (next_ + 1) % weights_.size();
    }
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() /
           kLaunchesPerRound;
  }

 private:
  static dnnl::matmul::primitive_desc describe(const Gemm& gemm, const OnednnContext& onednn) {
    const Operands operands = gemm.operands();
    return {onednn.engine,
            {{gemm.m, gemm.k}, *onednn_type(operands[0].dtype), memory::format_tag::ab},
            {{gemm.k, gemm.n}, *onednn_type(operands[1].dtype), memory::format_tag::any},
            {{gemm.m, gemm.n}, *onednn_type(operands[2].dtype), memory::format_tag::ab}};
  }

  dnnl::stream stream_;
  dnnl::matmul::primitive_desc description_;
  dnnl::matmul matmul_;
  memory a_, d_;
  std::vector<memory> weights_;
  size_t next_ = 0;
};

void compare(const Gemm& gemm, CacheState cache, CpuDevice& device, const KernelRegistry& kernels) {
  const OpType op = make_op_type<Gemm>();
  const Case what = make_case(op, gemm);
  const KernelEntry& kernel = *kernels.of(Gemm::info.id, "onednn").front();
  if (const std::string why = kernel.why_unsupported(what.values, device); !why.empty()) throw Error(why);
  const size_t copies = plan_placement(what, cache, device.info().llc_bytes, nullptr).copies;
  OperandStore store(device);
  PreparedCase prepared({what, &kernel, cache, 1}, device, store);
  HandLoop loop(gemm, copies, device.onednn());
  loop.run_ms();
  std::vector<double> by_hand_ms, by_harness_ms;
  for (int round = 0; round < kRounds; ++round) {
    by_hand_ms.push_back(loop.run_ms());
    const Samples samples =
        prepared.sample({.warmups = 1, .repetitions = kLaunchesPerRound, .max_total_ms = 1e9});
    double total_ms = 0;
    for (const double ms : samples.latency_ms) total_ms += ms;
    by_harness_ms.push_back(total_ms / double(samples.latency_ms.size()));
  }
  const double hand = median(by_hand_ms), harness = median(by_harness_ms);
  const double gflop = op.work(what.values).flops / 1e9;
  fmt::print(
      "{} {:<8} hand loop {:.3f} ms ({:.0f} GFLOP/s), perfatlas {:.3f} ms ({:.0f} GFLOP/s), ratio {:.2f}\n",
      case_text(what), name_of(cache), hand, gflop / hand * 1e3, harness, gflop / harness * 1e3,
      hand / harness);
}

void run(const BenchArguments& arguments) {
  const OpType op = make_op_type<Gemm>();
  Case what = make_case(op, Gemm{Quant::bf16, 1024, 4096, 4096});
  const char* const names[] = {"dtype", "m", "n", "k"};
  if (arguments.size() > std::size(names)) arguments.refuse();
  for (size_t i = 0; i < arguments.size(); ++i) set_field(what, names[i], arguments.text(i));
  CpuDevice device("");
  KernelRegistry kernels;
  add_all_cpu_kernels(kernels);
  for (const CacheState cache : {CacheState::hot, CacheState::serving})
    compare(decode<Gemm>(what.values), cache, device, kernels);
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  return perfatlas::bench_main({"gemm_hand_loop [DTYPE [M [N [K]]]]", argc, argv}, perfatlas::run);
}
