// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/price.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "perfatlas/base/error.h"

namespace perfatlas::aic {
namespace {

constexpr std::array<std::string_view, 5> kModes{"SILICON", "HYBRID", "EMPIRICAL", "SOL", "SOL_FULL"};
constexpr std::array<std::string_view, 5> kSources{"silicon", "empirical", "sol", "estimated", "mixed"};
constexpr std::array<std::string_view, 6> kProvenances{"",       "empirical", "xshape",
                                                       "xquant", "xprofile",  "xop"};
constexpr std::array<std::string_view, 8> kFailures{"",
                                                    "PerfDataNotAvailable",
                                                    "InterpolationDataNotAvailable",
                                                    "EmpiricalNotImplemented",
                                                    "MissingSystemFlops",
                                                    "InvalidEngineConfig",
                                                    "UnsupportedAttentionBackend",
                                                    "SolNotImplemented"};

bool set_kind(TransferPolicy& policy, std::string_view kind) {
  if (kind == "xshape") return policy.xshape = true;
  if (kind == "xquant") return policy.xquant = true;
  if (kind == "xprofile") return policy.xprofile = true;
  if (kind == "xop") return policy.xop = true;
  return false;
}

}  // namespace

std::string_view name_of(Mode mode) { return kModes[size_t(mode)]; }
std::string_view name_of(Source source) { return kSources[size_t(source)]; }
std::string_view name_of(Provenance provenance) { return kProvenances[size_t(provenance)]; }
std::string_view name_of(Failure failure) { return kFailures[size_t(failure)]; }

std::optional<Mode> mode_from_name(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) c = char(std::toupper(static_cast<unsigned char>(c)));
  for (size_t i = 0; i < kModes.size(); ++i)
    if (kModes[i] == upper) return Mode(i);
  return std::nullopt;
}

TransferPolicy TransferPolicy::from_text(std::string_view text) {
  if (text == "aggressive" || text == "default") return {};
  TransferPolicy policy{.xshape = false, .xquant = false, .xprofile = false, .xop = false};
  if (text == "off") return policy;
  policy.xshape = text == "conservative" || text == "balanced";
  policy.xquant = text == "balanced";
  if (policy.xshape) return policy;
  for (std::string_view rest = text;;) {
    const size_t comma = rest.find(',');
    if (!set_kind(policy, rest.substr(0, comma)))
      throw UsageError(
          fmt::format("transfers '{}' are none of off, conservative, balanced, aggressive, nor a list "
                      "of xshape, xquant, xprofile, xop separated by commas",
                      text));
    if (comma == std::string_view::npos) return policy;
    rest = rest.substr(comma + 1);
  }
}

Price& Price::operator+=(const Price& other) {
  if (!ok()) return *this;
  if (!other.ok()) return *this = other;
  const auto nothing = [](const Price& p) { return p.latency_ms == 0 && p.energy_mj == 0; };
  if (nothing(*this))
    source = other.source;
  else if (!nothing(other) && source != other.source)
    source = Source::mixed;
  latency_ms += other.latency_ms;
  energy_mj += other.energy_mj;
  provenance = std::max(provenance, other.provenance);
  math_ms += other.math_ms;
  memory_ms += other.memory_ms;
  return *this;
}

Price& Price::operator*=(double factor) {
  latency_ms *= factor;
  energy_mj *= factor;
  math_ms *= factor;
  memory_ms *= factor;
  return *this;
}

}  // namespace perfatlas::aic
