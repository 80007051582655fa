// SPDX-License-Identifier: Apache-2.0
// Whether the machine is idle enough to measure on it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace perfatlas {

/// Share of the processors' time that was used within the next `seconds`; 0 where the system does not say. Blocks.
double busy_share(double seconds);

/// Time of all processors since the machine started, in seconds.
struct ProcessorTime {
  double busy = 0, all = 0;
};

/// From the first line of /proc/stat ("cpu user nice system idle iowait irq softirq steal ...", in ticks); zeros when
/// it is not one. REQUIRES: ticks_per_s > 0.
ProcessorTime processor_time_of(std::string_view stat_line, double ticks_per_s);

/// How much of the processors programs other than this one and its children use.
class OtherPrograms {
 public:
  /// Watches from now on.
  OtherPrograms();
  /// Of the processors' time since then; 0 where the system does not say. Children count once they have ended.
  double share() const;

 private:
  ProcessorTime start_;
  double own_s_ = 0;
};

/// The part of `all` that is busy and not `own_s` seconds of this program's, within 0..1; 0 while fewer ticks have
/// passed than say anything.
double others_share(const ProcessorTime& passed, double own_s);

/// Above this share of the processors, others are told of: on two cores a fifth of one, which doubles the noise of many
/// kernels.
inline constexpr double kBusyMachine = .1;

/// One line when `share` is above kBusyMachine, else nothing: before measuring, and after it.
std::optional<std::string> busy_before(double share);
std::optional<std::string> busy_meanwhile(double share);

}  // namespace perfatlas
