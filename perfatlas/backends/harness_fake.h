// SPDX-License-Identifier: Apache-2.0
// For tests: a device in host memory whose launches take a scripted time, and an op that uses every operand role.
#pragma once

#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "perfatlas/backends/kernel.h"
#include "perfatlas/measure/launch_cost.h"

namespace perfatlas {

/// y = x * w + first row of the cache; the second row of the cache becomes x. The rest of the cache is not touched.
struct FakeStep {
  int64_t n = 8;
  int64_t cache_rows = 2;
  bool operator==(const FakeStep&) const = default;

  static constexpr OpInfo info{
      .id = "fake_step", .table = "fake_perf", .op_name = "fake", .doc = "one", .sol = "n"};
  static constexpr auto fields =
      std::tuple{field("n", &FakeStep::n, Role::axis, "elements"),
                 field("cache_rows", &FakeStep::cache_rows, Role::recorded, "rows")};
  static constexpr auto axes = std::array{axis<&FakeStep::n, FakeStep>("n")};
  static constexpr TableLayout layout{};

  std::string_view why_invalid() const { return n < 1 ? "n must be positive" : ""; }
  Work work() const {
    const double bytes = 4 * double(n);
    return {.flops = 2 * double(n),
            .weight_bytes_read = bytes,
            .kv_bytes_read = bytes,
            .activation_bytes_read = bytes,
            .kv_bytes_written = bytes,
            .bytes_written = bytes};
  }
  Operands operands() const {
    return {{.name = "x", .role = OperandRole::activation, .dtype = DType::f32, .shape = {n}},
            {.name = "w", .role = OperandRole::weight, .dtype = DType::f32, .shape = {n}},
            {.name = "c",
             .role = OperandRole::kv,
             .dtype = DType::f32,
             .shape = {cache_rows, n},
             .written = true},
            {.name = "y",
             .role = OperandRole::output,
             .dtype = DType::f32,
             .shape = {n},
             .fill = Fill::none,
             .written = true}};
  }
  void reference(std::vector<HostOperand>& data) const {
    const auto count = size_t(n);
    for (size_t i = 0; i < count; ++i) {
      data[3].values[i] = data[0].values[i] * data[1].values[i] + data[2].values[i];
      data[2].values[count + i] = data[0].values[i];
    }
  }
};
static_assert(Operation<FakeStep>);

/// Runs the step as declared, then does `fault` to its operands; `log` sees the pointers of every launch.
class FakeStepKernel final : public PreparedKernel {
 public:
  using Launch = std::function<void(std::span<float* const> operands, size_t n)>;

  FakeStepKernel(int64_t n, Launch fault, Launch log) : n_(size_t(n)), fault_(fault), log_(log) {}

  void launch(Stream, std::span<void* const> operands, void*) override {
    std::vector<float*> p;
    for (void* operand : operands) p.push_back(static_cast<float*>(operand));
    for (size_t i = 0; i < n_; ++i) {
      p[3][i] = p[0][i] * p[1][i] + p[2][i];
      p[2][n_ + i] = p[0][i];
    }
    if (fault_) fault_(p, n_);
    if (log_) log_(p, n_);
  }

 private:
  size_t n_;
  Launch fault_, log_;
};

inline KernelEntry fake_step_kernel(FakeStepKernel::Launch fault = {}, FakeStepKernel::Launch log = {}) {
  return {FakeStep::info.id, "fake_kernel", "fake",
          [](const FieldValues&, const Device&) { return std::string(); },
          [fault, log](const FieldValues& values, Device&) {
            return std::make_unique<FakeStepKernel>(decode<FakeStep>(values).n, fault, log);
          }};
}

class FakeDevice final : public Device {
 public:
  DeviceInfo description{
      .id = "fake", .name = "Fake", .memory_bytes = 1e9, .llc_bytes = 1 << 20, .versions = {}};
  double launch_ms = 0.01;  // what every launch is said to take
  double launch_cost = 0;   // ... and every repetition beside its launches, in ms
  LaunchMode mode = LaunchMode::direct;
  std::optional<double> energy_mj;  // grows by one per reading
  int allocations = 0;
  int evictions = 0;
  std::function<void()> before_run;  // may throw, as a device that fails
  bool gone = false;                 // what lost() says

  const DeviceInfo& info() const override { return description; }
  std::shared_ptr<void> allocate(size_t bytes) override {
    ++allocations;
    return {std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096), &std::free};
  }
  void copy_in(void* device, const void* host, size_t bytes) override { std::memcpy(device, host, bytes); }
  void copy_out(void* host, const void* device, size_t bytes) override { std::memcpy(host, device, bytes); }
  void copy(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  Stream stream() override { return nullptr; }
  void synchronize() override {}
  bool lost() override { return gone; }
  double least_sample_ms() const override { return kTimesLaunchCost * launch_cost; }
  SensorReading read_sensors() override {
    SensorReading reading;
    if (energy_mj) reading.energy_mj = (*energy_mj)++;
    return reading;
  }
  std::unique_ptr<TimedBatch> make_batch(const BatchRequest& request) override {
    return std::make_unique<Batch>(request, *this);
  }

 private:
  /// A graph replays the same sets at every run, as real ones do.
  class Batch final : public TimedBatch {
   public:
    Batch(const BatchRequest& request, FakeDevice& device) : request_(request), device_(device) {}
    double run_ms() override {
      if (device_.before_run) device_.before_run();
      if (mode() == LaunchMode::graph) next_ = 0;
      if (request_.evict_first) {
        ++device_.evictions;
        launch_next();
      }
      for (int i = 0; i < request_.launches; ++i) launch_next();
      return device_.launch_cost + device_.launch_ms * request_.launches;
    }
    LaunchMode mode() const override { return device_.mode; }
    size_t rotation() const override {
      const bool graph = mode() == LaunchMode::graph;
      return graph ? std::min(size_t(request_.launches), request_.operand_sets.size()) : 0;
    }

   private:
    void launch_next() {
      request_.kernel->launch(nullptr, request_.operand_sets[next_++ % request_.operand_sets.size()],
                              request_.workspace);
    }

    BatchRequest request_;
    FakeDevice& device_;
    size_t next_ = 0;
  };
};

}  // namespace perfatlas
