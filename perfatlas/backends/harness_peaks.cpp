// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/harness_peaks.h"

#include <algorithm>

#include "perfatlas/backends/harness.h"
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
  for (const Candidate& candidate : found) {
    const double share_ms = budget_s * 1e3 / double(found.size()) / double(std::size(kEdges));
    const DType math = traits_of(candidate.quant).math;
    for (const int64_t edge : kEdges) {
      const Case what = make_case(*gemm, Gemm{candidate.quant, edge, edge, edge});
      const double expected_ms =
          peaks.contains(math) ? what.op->work(what.values).flops / peaks[math].value * 1e3 : 0;
      if (expected_ms * kFewestSamples > share_ms) break;
      const MeasuredPeaks::Peak peak = peak_of_rates(rates_of(candidate, what, share_ms, device));
      if (!peaks.contains(math) || peak.value > peaks[math].value) peaks[math] = peak;
    }
  }
  return peaks;
}

}  // namespace perfatlas
