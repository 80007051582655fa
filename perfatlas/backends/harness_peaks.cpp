// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/harness_peaks.h"

#include <algorithm>
#include <optional>

#include "perfatlas/backends/harness.h"
#include "perfatlas/base/error.h"
#include "perfatlas/measure/statistics.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

/// One mode per arithmetic type: the fastest to run, not the most used.
constexpr Quant kPlainQuants[] = {Quant::f32, Quant::tf32, Quant::f16, Quant::bf16, Quant::int8, Quant::fp8};
constexpr int64_t kEdges[] = {1024, 2048, 4096, 8192};
constexpr int kFewestSamples = 8;
constexpr int kMostSamples = 60;

struct Candidate {
  Quant quant;
  const KernelEntry* kernel;
};

std::vector<Candidate> candidates(const Device& device, const OpType& gemm, const KernelRegistry& kernels) {
  std::vector<Candidate> found;
  for (const Quant quant : kPlainQuants) {
    const FieldValues values = encode(Gemm{quant, kEdges[0], kEdges[0], kEdges[0]});
    for (const KernelEntry* kernel : kernels.of(gemm.info.id, ""))
      if (kernel->why_unsupported(values, device).empty()) {
        found.push_back({quant, kernel});
        break;
      }
  }
  return found;
}

/// FLOP/s of repeated launches of one shape, for about `share_ms`, at least two.
std::vector<double> rates_of(const Candidate& candidate, const Case& what, double share_ms, Device& device) {
  OperandStore store(device);
  PreparedCase prepared({what, candidate.kernel, CacheState::hot, 0}, device, store);
  SamplingOptions options{
      .warmups = 2, .repetitions = kMostSamples, .min_sample_ms = 1, .max_total_ms = share_ms};
  std::vector<double> rates;
  while (rates.size() < 2) {
    for (const double ms : prepared.sample(options).latency_ms)
      rates.push_back(what.op->work(what.values).flops / (ms * 1e-3));
    options.warmups = 0;
  }
  return rates;
}

/// The best of the square shapes that `share_ms` each and the memory allow; nothing when not even the smallest fits.
std::optional<MeasuredPeaks::Peak> best_of_edges(const Candidate& candidate, const OpType& gemm,
                                                 double share_ms, Device& device) {
  std::optional<MeasuredPeaks::Peak> best;
  for (const int64_t edge : kEdges) {
    const Case what = make_case(gemm, Gemm{candidate.quant, edge, edge, edge});
    const double expected_ms = best ? gemm.work(what.values).flops / best->value * 1e3 : 0;
    if (expected_ms * kFewestSamples > share_ms) break;
    try {
      const MeasuredPeaks::Peak peak = peak_of_rates(rates_of(candidate, what, share_ms, device));
      if (!best || peak.value > best->value) best = peak;
    } catch (const OutOfMemory&) {
      break;
    }
  }
  return best;
}

}  // namespace

MeasuredPeaks::Peak peak_of_rates(std::vector<double> rates) {
  const SampleStatistics statistics = statistics_of(std::move(rates));
  return {statistics.p90, statistics.rel_ci95};
}

std::map<DType, MeasuredPeaks::Peak> measure_gemm_peaks(Device& device, const OpRegistry& ops,
                                                        const KernelRegistry& kernels, double budget_s) {
  std::map<DType, MeasuredPeaks::Peak> peaks;
  const OpType* gemm = ops.find(Gemm::info.id);
  if (gemm == nullptr) return peaks;
  const std::vector<Candidate> found = candidates(device, *gemm, kernels);
  const double share_ms = budget_s * 1e3 / double(found.size()) / double(std::size(kEdges));
  for (const Candidate& candidate : found) {
    try {
      if (const auto best = best_of_edges(candidate, *gemm, share_ms, device))
        peaks[traits_of(candidate.quant).math] = *best;
    } catch (const Error&) {
      if (device.lost()) throw;  // nothing else can be measured in this process either
    }
  }
  return peaks;
}

}  // namespace perfatlas
