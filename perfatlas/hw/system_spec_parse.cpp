// SPDX-License-Identifier: Apache-2.0
// Strict reader of system descriptions.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "perfatlas/base/error.h"
#include "perfatlas/hw/system_spec.h"
#include "perfatlas/hw/system_spec_keys_impl.h"
#include "perfatlas/schema/measured_state.h"

namespace perfatlas {
namespace {

using Json = nlohmann::json;

/// One JSON object with its place in the file, for messages.
class Section {
 public:
  Section(const Json& json, std::string source, std::string place)
      : json_(json), source_(std::move(source)), place_(std::move(place)) {
    if (!json.is_object()) fail("", "must be an object");
  }

  [[noreturn]] void fail(const std::string& key, const std::string& complaint) const {
    const std::string at = join(key);
    throw Error(fmt::format("{}: {}{}", source_, at.empty() ? "" : fmt::format("\"{}\" ", at), complaint));
  }

  const Json* find(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() ? nullptr : &*found;
  }

  std::optional<double> positive(const char* key) const { return number(key, true); }
  std::optional<double> non_negative(const char* key) const { return number(key, false); }

  std::optional<int> count(const char* key) const {
    const Json* value = find(key);
    if (!value) return std::nullopt;
    if (!value->is_number_integer() || *value < 1 || *value > 1'000'000'000)
      fail(key, fmt::format("is {}: must be a positive integer", value->dump()));
    return value->get<int>();
  }

  std::string text(const char* key) const {
    const Json* value = find(key);
    if (!value) return {};
    if (!value->is_string()) fail(key, fmt::format("is {}: must be text", value->dump()));
    return value->get<std::string>();
  }

  std::string required_text(const char* key) const {
    if (!find(key)) fail(key, "is missing");
    std::string value = text(key);
    if (value.empty()) fail(key, "is empty");
    return value;
  }

  std::optional<Section> section(const char* key) const {
    const Json* value = find(key);
    if (!value) return std::nullopt;
    return Section(*value, source_, join(key));
  }

  void note_unknown(std::initializer_list<std::string_view> known, std::vector<std::string>& notes) const {
    for (const auto& [key, value] : json_.items())
      if (std::find(known.begin(), known.end(), key) == known.end())
        notes.push_back(fmt::format("{}: \"{}\" is not a known key and was ignored", source_, join(key)));
  }

  const Json& json() const { return json_; }
  const std::string& source() const { return source_; }
  std::string join(const std::string& key) const {
    return place_.empty() ? key : key.empty() ? place_ : place_ + "." + key;
  }

 private:
  std::optional<double> number(const char* key, bool above_zero) const {
    const Json* value = find(key);
    if (!value) return std::nullopt;
    const double number = value->is_number() ? value->get<double>() : std::nan("");
    if (!std::isfinite(number) || number < 0 || (above_zero && number == 0))
      fail(key, fmt::format("is {}: must be a {} number; leave the key out when it is unknown", value->dump(),
                            above_zero ? "positive" : "non-negative"));
    return number;
  }

  const Json& json_;
  std::string source_, place_;
};

class Reader {
 public:
  ParsedSystemSpec read(const Section& top) {
    using namespace key;
    check_format(top);
    top.note_unknown({kFormat, kRevision, kSource, kSystem, kDevice, kKind, kMemoryBytes, kLlcBytes,
                      kMemoryBandwidth, kLlcBandwidth, kFlops, kCpu, kCaches, kCuda, kProbedAt, kVersions},
                     result_.notes);
    read_identity(top);
    spec().memory_bytes = top.positive(kMemoryBytes);
    spec().llc_bytes = top.positive(kLlcBytes);
    if (const auto section = top.section(kMemoryBandwidth)) spec().memory_bandwidth = figure(*section);
    if (const auto section = top.section(kLlcBandwidth)) spec().llc_bandwidth = figure(*section);
    if (const auto section = top.section(kFlops)) read_flops(*section);
    if (const auto section = top.section(kCpu)) read_cpu(*section);
    if (const Json* caches = top.find(kCaches)) read_caches(top, *caches);
    if (const auto section = top.section(kCuda)) read_cuda(*section);
    top.text(kSource);  // checked, not kept
    spec().probed_at = top.text(kProbedAt);
    if (const auto section = top.section(kVersions))
      for (const auto& [name, value] : section->json().items())
        spec().versions[name] = section->text(name.c_str());
    return std::move(result_);
  }

 private:
  SystemSpec& spec() { return result_.spec; }

  static void check_format(const Section& top) {
    if (top.required_text(key::kFormat) != key::kFormatName)
      top.fail(key::kFormat,
               fmt::format("must be \"{}\": this is not a system description", key::kFormatName));
    const auto revision = top.count(key::kRevision);
    if (!revision) top.fail(key::kRevision, "is missing");
    if (*revision > kSystemSpecRevision)
      top.fail(key::kRevision, fmt::format("is {} but this program reads up to {}; install a newer perfatlas",
                                           *revision, kSystemSpecRevision));
  }

  void read_identity(const Section& top) {
    spec().system = top.required_text(key::kSystem);
    if (spec().system.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos)
      top.fail(key::kSystem, "must consist of lower-case letters, digits and underscores: it names a folder");
    spec().device = top.required_text(key::kDevice);
    spec().kind = top.required_text(key::kKind);
    if (spec().kind != "cpu" && spec().kind != "cuda") top.fail(key::kKind, "must be \"cpu\" or \"cuda\"");
  }

  Figure figure(const Section& section) {
    section.note_unknown({key::kDatasheet, key::kMeasured, key::kMeasuredRelCi95}, result_.notes);
    return {section.positive(key::kDatasheet), section.positive(key::kMeasured),
            section.non_negative(key::kMeasuredRelCi95)};
  }

  void read_flops(const Section& section) {
    for (const auto& [name, value] : section.json().items()) {
      if (const auto type = from_name<DType>(name))
        spec().flops[*type] = figure(*section.section(name.c_str()));
      else
        result_.notes.push_back(fmt::format("{}: \"{}\" is not a known element type and was ignored",
                                            section.source(), section.join(name)));
    }
  }

  void read_cpu(const Section& section) {
    using namespace key;
    section.note_unknown({kSockets, kNumaNodes, kCores, kThreadsPerCore, kIsa}, result_.notes);
    spec().sockets = section.count(kSockets);
    spec().numa_nodes = section.count(kNumaNodes);
    spec().cores = section.count(kCores);
    spec().threads_per_core = section.count(kThreadsPerCore);
    const Json* isa = section.find(kIsa);
    if (!isa) return;
    if (!isa->is_array()) section.fail(kIsa, "must be a list of text");
    for (const Json& name : *isa) {
      if (!name.is_string()) section.fail(kIsa, fmt::format("holds {}: must be text", name.dump()));
      spec().isa.push_back(name.get<std::string>());
    }
  }

  void read_caches(const Section& top, const Json& caches) {
    if (!caches.is_array()) top.fail(key::kCaches, "must be a list of objects");
    for (size_t i = 0; i < caches.size(); ++i) {
      const Section one(caches[i], top.source(), fmt::format("{}[{}]", key::kCaches, i));
      one.note_unknown({key::kLevel, key::kBytes, key::kInstances}, result_.notes);
      const auto level = one.count(key::kLevel), instances = one.count(key::kInstances);
      const auto bytes = one.positive(key::kBytes);
      if (!level) one.fail(key::kLevel, "is missing");
      if (!instances) one.fail(key::kInstances, "is missing");
      if (!bytes) one.fail(key::kBytes, "is missing");
      spec().caches.push_back({*level, *bytes, *instances});
    }
  }

  void read_cuda(const Section& section) {
    using namespace key;
    section.note_unknown({kSmVersion, kPowerLimit, kMaxClock}, result_.notes);
    spec().sm_version = section.count(kSmVersion);
    spec().power_limit_w = section.positive(kPowerLimit);
    spec().max_clock_mhz = section.positive(kMaxClock);
  }

  ParsedSystemSpec result_;
};

size_t line_of(std::string_view text, size_t offset) {
  return 1 + size_t(std::count(text.begin(), text.begin() + ptrdiff_t(std::min(offset, text.size())), '\n'));
}

}  // namespace

ParsedSystemSpec parse_system_spec(std::string_view json, const std::string& source) {
  Json parsed;
  try {
    parsed = Json::parse(json);
  } catch (const Json::parse_error& error) {
    throw Error(
        fmt::format("{}:{}: not valid JSON (truncated or edited?); write it again with `perfatlas probe`",
                    source, line_of(json, error.byte)));
  } catch (const Json::exception&) {  // a number beyond the range of a double
    throw Error(fmt::format("{}: holds a number that is out of range; write it again with `perfatlas probe`",
                            source));
  }
  return Reader().read(Section(parsed, source, ""));
}

}  // namespace perfatlas
