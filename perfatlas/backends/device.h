// SPDX-License-Identifier: Apache-2.0
// What the measuring harness needs from a device. One implementation per back end; kernels see the concrete type.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "perfatlas/base/error.h"
#include "perfatlas/measure/sample.h"

namespace perfatlas {

class PreparedKernel;

/// Opaque queue of device work: cudaStream_t on CUDA, unused on a CPU.
using Stream = void*;

struct DeviceInfo {
  std::string id;    // what --devices takes: "0-1" (a core set) or "cuda:0"
  std::string name;  // the vendor's name of the part, as the `device` column has it
  double memory_bytes = 0;
  double llc_bytes = 0;                         // last-level cache shared by the whole device
  std::map<std::string, std::string> versions;  // library or driver -> version found at run time
};

/// Thrown when an allocation does not fit; the case becomes `failed: out of memory`, the worker lives on.
class OutOfMemory : public Error {
 public:
  using Error::Error;
};

/// One repetition: `launches` launches, timed as a whole.
class TimedBatch {
 public:
  virtual ~TimedBatch() = default;
  /// Milliseconds of all launches together; blocks until they are done.
  virtual double run_ms() = 0;
  virtual LaunchMode mode() const = 0;
  virtual std::string note() const { return {}; }  // why not the wanted mode
  /// How many operand sets are used, over repeated calls of run_ms, before one is used again. 0: all of the request,
  /// in turn, each call going on where the last one ended. A recorded graph replays the sets it was recorded with.
  virtual size_t rotation() const { return 0; }
};

struct BatchRequest {
  PreparedKernel* kernel = nullptr;              // outlives the batch
  std::vector<std::vector<void*>> operand_sets;  // rotated launch by launch; every set in operand order
  void* workspace = nullptr;
  int launches = 1;
  CacheState cache = CacheState::serving;
  bool allow_graph_fail = true;  // fall back to eager instead of failing
  /// Before each repetition, outside its time: evict every cache, then launch once with a set of its own, so that
  /// activations are warm and nothing else is. REQUIRES: more operand sets than launches.
  bool evict_first = false;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceInfo& info() const = 0;

  /// At least `bytes` bytes, aligned to 256, content undefined. Throws OutOfMemory.
  virtual std::shared_ptr<void> allocate(size_t bytes) = 0;
  virtual void copy_in(void* device, const void* host, size_t bytes) = 0;
  virtual void copy_out(void* host, const void* device, size_t bytes) = 0;
  /// Copies within the device.
  virtual void copy(void* to, const void* from, size_t bytes) = 0;

  virtual Stream stream() = 0;
  /// Waits for all work; throws Error when the work failed.
  virtual void synchronize() = 0;
  virtual std::unique_ptr<TimedBatch> make_batch(const BatchRequest& request) = 0;
  virtual SensorReading read_sensors() = 0;

  /// Names what is launched from here to end_range() in the profiles of whatever profiler is attached.
  virtual void begin_range(const std::string& name) { (void)name; }
  virtual void end_range() {}

  /// Whether kernels_run_by() was asked for and can tell anything.
  virtual bool traces_kernels() const { return false; }
  /// Runs `work`, which launches something and waits for it, and says which kernels of the device that were:
  /// "kernels: name (12.30 us), ...". REQUIRES: traces_kernels().
  virtual std::string kernels_run_by(const std::function<void()>& work) {
    work();
    return {};
  }

  /// An energy counter must be read over at least this long, many times the interval at which it moves.
  virtual double energy_window_ms() const { return 1000; }  // RAPL: 1 ms

  /// Power while nothing of this process runs, over one energy window when it is first asked for. Nothing where there
  /// is no energy counter, or it does not move.
  virtual std::optional<double> idle_power_w() { return std::nullopt; }

  /// A repetition must last at least this long for what launching it costs to be a small part of it.
  virtual double least_sample_ms() const { return 0; }

  /// Asked after a failure: true when nothing can run on the device any more in this process (a CUDA context after a
  /// faulting kernel). The worker then exits with code 1 after its answer, and the supervisor starts another.
  virtual bool lost() { return false; }
};

}  // namespace perfatlas
