// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/systems_root.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/store/version_order.h"
#include "perfatlas/tables/memo_impl.h"

namespace perfatlas {
namespace {

constexpr const char* kSampleFile = "silicon_sample.csv";

bool flag_from_environment(const char* name) {
  const char* const value = std::getenv(name);
  const std::string_view text = value == nullptr ? "" : value;
  return text == "1" || text == "true" || text == "yes";
}

std::string joined(const std::vector<std::string>& words) { return join_words({words.begin(), words.end()}); }

/// Newest first by version_tuple; false when one of them is no version.
bool newer_tuple(std::string_view a, std::string_view b) {
  const auto left = version_tuple(a), right = version_tuple(b);
  return left && right && *left > *right;
}

using RootSources = std::vector<std::unique_ptr<const RootSource>>;

/// Throws one error for all paths that cannot be opened: a UsageError when each of them is one.
RootSources open_sources(const std::vector<std::string>& paths, const OpRegistry& ops,
                         const SystemsRootOptions& options) {
  PERFATLAS_ASSERT(!paths.empty());
  RootSources sources;
  std::vector<std::string> problems;
  bool usage_only = true;
  for (const std::string& path : paths) {
    try {
      sources.push_back(std::make_unique<const RootSource>(
          path, ops, RootSourceOptions{options.strict_provenance, options.cache}));
    } catch (const UsageError& error) {
      problems.emplace_back(error.what());
    } catch (const Error& error) {
      usage_only = false;
      problems.emplace_back(error.what());
    }
  }
  const std::string text = fmt::format("{}", fmt::join(problems, "; "));
  if (!problems.empty() && usage_only) throw UsageError(text);
  if (!problems.empty()) throw Error(text);
  return sources;
}

/// The folders of a system's back end, whatever is in them.
std::vector<std::string> folders_of(const std::vector<const RootSource*>& sources, std::string_view system,
                                    std::string_view backend) {
  std::vector<std::string> paths;
  for (const RootSource* const source : sources)
    for (const VersionFolder& folder : source->tables(system).folders())
      if (folder.backend == backend) paths.push_back(source->files().name_of(folder.path));
  return paths;
}

std::vector<std::string> all_systems(const RootSources& sources) {
  std::set<std::string> names;
  for (const auto& source : sources) names.insert(source->systems().begin(), source->systems().end());
  return {names.begin(), names.end()};
}

}  // namespace

struct SystemsRoot::State {
  State(const std::vector<std::string>& paths, const OpRegistry& known, SystemsRootOptions chosen)
      : ops(known),
        options(std::move(chosen)),
        sources(open_sources(paths, ops, options)),
        text(fmt::format("{}", fmt::join(paths, ", "))),
        systems(all_systems(sources)) {}

  const OpRegistry& ops;
  SystemsRootOptions options;
  RootSources sources;
  std::string text;
  std::vector<std::string> systems;
  Memo<VersionSlots> slots;

  /// Of the first source that has the file; null: none has.
  const QueryVersions* query_versions() const {
    for (const auto& source : sources)
      if (const auto& written = source->query_versions()) return &*written;
    return nullptr;
  }
  /// Sources that describe a system. Throws UsageError when there is none.
  std::vector<const RootSource*> describing(std::string_view system) const {
    std::vector<const RootSource*> found;
    for (const auto& source : sources)
      if (source->describes(system)) found.push_back(source.get());
    if (found.empty())
      throw UsageError(
          fmt::format("{}: there is no system '{}'; there are {}", text, system, joined(systems)));
    return found;
  }
};

SystemsRoot::SystemsRoot(const std::vector<std::string>& sources, const OpRegistry& ops,
                         SystemsRootOptions options) {
  options.allow_unlisted_versions |= flag_from_environment("AIC_ALLOW_UNLISTED_VERSIONS");
  options.strict_provenance |= flag_from_environment("AIC_STRICT_PROVENANCE");
  state_ = std::make_unique<State>(sources, ops, std::move(options));
}

SystemsRoot::~SystemsRoot() = default;

const std::string& SystemsRoot::source() const { return state_->text; }
const std::vector<std::unique_ptr<const RootSource>>& SystemsRoot::sources() const { return state_->sources; }
const OpRegistry& SystemsRoot::ops() const { return state_->ops; }
const std::vector<std::string>& SystemsRoot::systems() const { return state_->systems; }

const AicSystem& SystemsRoot::system(std::string_view name) const {
  return state_->describing(name).front()->system(name);
}

const RootSource& SystemsRoot::source_of(const TableRequest& request) const {
  const std::vector<const RootSource*> describing = state_->describing(request.system);
  if (describing.size() == 1) return *describing.front();
  for (const RootSource* const source : describing)
    for (const VersionFolder* const folder :
         source->tables(request.system).of(request.backend, request.version))
      if (!folder->incomplete) return *source;
  return *describing.front();
}

const AicSystem& SystemsRoot::system_of(const TableRequest& request) const {
  return source_of(request).system(request.system);
}

std::vector<std::string> SystemsRoot::backends(std::string_view name) const {
  std::set<std::string> found;
  for (const RootSource* const source : state_->describing(name))
    for (std::string& backend : source->backends(name)) found.insert(std::move(backend));
  return {found.begin(), found.end()};
}

std::vector<std::string> SystemsRoot::versions(std::string_view name, std::string_view backend) const {
  std::set<std::string> names;
  for (const RootSource* const source : state_->describing(name))
    for (std::string& version : source->tables(name).versions(backend)) names.insert(std::move(version));
  std::vector<std::string> sorted(names.begin(), names.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const std::string& a, const std::string& b) { return older_version(a, b); });
  return sorted;
}

bool SystemsRoot::is_marker_version(std::string_view name, std::string_view backend,
                                    std::string_view version) const {
  bool any = false;
  for (const RootSource* const source : state_->describing(name))
    for (const VersionFolder* const folder : source->tables(name).of(backend, version)) {
      if (!folder->tables.empty()) return false;
      any = true;
    }
  return any;
}

bool SystemsRoot::allows_unlisted_versions() const { return state_->options.allow_unlisted_versions; }

VersionSlots SystemsRoot::slots(std::string_view name, std::string_view backend) const {
  const QueryVersions* const written = state_->query_versions();
  if (written == nullptr || versions(name, backend).empty()) return {};
  return *state_->slots.get(fmt::format("{}/{}", name, backend), [&] {
    VersionSlots slots = written->written(name, backend);
    if (!slots.current || written->overridden(name, backend)) return slots;
    for (const std::string& other : systems()) {
      if (written->overridden(other, backend)) continue;
      try {
        for (const std::string& version : versions(other, backend))
          if (!is_marker_version(other, backend, version) && newer_tuple(version, *slots.current) &&
              (!slots.next || newer_tuple(version, *slots.next)))
            slots.next = version;
      } catch (const Error&) {
        continue;  // what is wrong with another system is said where that is asked for
      }
    }
    return slots;
  });
}

std::string SystemsRoot::resolve_version(std::string_view name, std::string_view backend,
                                         std::string_view asked) const {
  const std::vector<std::string> known = versions(name, backend);
  if (known.empty()) {
    const std::vector<std::string> others = backends(name);
    if (std::find(others.begin(), others.end(), backend) != others.end())
      throw UsageError(
          fmt::format("{}: the folders of back end '{}' of {} have no tables: {}; they were copied in part, "
                      "fetch them again",
                      source(), backend, name, joined(folders_of(state_->describing(name), name, backend))));
    throw UsageError(fmt::format(
        "{}: {} has no tables of back end '{}'; {}", source(), name, backend,
        others.empty() ? "it has none at all, only a description" : "there are " + joined(others)));
  }
  const auto one_of_known = [&] {
    if (std::find(known.begin(), known.end(), asked) != known.end()) return std::string(asked);
    throw UsageError(fmt::format("{}: {} has no version '{}' of {}; there are {}", source(), name, asked,
                                 backend, joined(known)));
  };
  const QueryVersions* const written = state_->query_versions();
  if (!written) {
    if (asked.empty()) {
      for (auto version = known.rbegin(); version != known.rend(); ++version)
        if (!is_marker_version(name, backend, *version)) return *version;
      return known.back();
    }
    return one_of_known();
  }
  const VersionSlots stated = written->written(name, backend);
  if ((asked.empty() || asked == "current") && stated.current) return *stated.current;
  if (asked == stated.current || asked == stated.previous) return std::string(asked);
  const VersionSlots all = slots(name, backend);
  if (asked == "previous" && all.previous) return *all.previous;
  if (asked == "next" && all.next) return *all.next;
  if (!asked.empty() && asked == all.next) return std::string(asked);
  const bool a_word = asked.empty() || asked == "current" || asked == "previous" || asked == "next";
  if (state_->options.allow_unlisted_versions && !a_word) return one_of_known();
  std::vector<std::string> accepted;
  for (const auto& [word, slot] :
       {std::pair{"current", all.current}, {"previous", all.previous}, {"next", all.next}})
    if (slot) accepted.push_back(fmt::format("{} ({})", word, *slot));
  throw UsageError(fmt::format(
      "{}: version '{}' of {} cannot be asked for on {}: {}; other versions only with "
      "AIC_ALLOW_UNLISTED_VERSIONS=1",
      source(), asked, backend, name, accepted.empty() ? "none is listed" : "there are " + joined(accepted)));
}

std::vector<TableSource> SystemsRoot::sources_of(const TableRequest& request, std::string_view table) const {
  return source_of(request).sources_of(request, table);
}

std::shared_ptr<const TableRows> SystemsRoot::table_rows(const OpType& op,
                                                         const TableRequest& request) const {
  return source_of(request).table_rows(op, request);
}

std::optional<std::string> SystemsRoot::default_attention_lane(const TableRequest& request,
                                                               int sm_version) const {
  const RootSource& own = source_of(request);
  if (own.has_attention_lanes())
    return own.default_attention_lane(request.backend, request.version, sm_version);
  for (const auto& source : sources())
    if (source->has_attention_lanes())
      return source->default_attention_lane(request.backend, request.version, sm_version);
  return std::nullopt;
}

std::vector<std::string> SystemsRoot::model_config_names() const {
  std::set<std::string> names;
  for (const auto& source : sources())
    for (std::string& name : source->model_config_names()) names.insert(std::move(name));
  return {names.begin(), names.end()};
}

std::string SystemsRoot::model_config(std::string_view name) const {
  for (const auto& source : sources())
    if (auto text = source->model_config(name)) return std::move(*text);
  throw UsageError(fmt::format("{}: there is no model configuration '{}'", source(), name));
}

std::optional<std::string> SystemsRoot::silicon_sample() const {
  for (const auto& source : sources())
    if (auto text = source->file_beside(kSampleFile)) return text;
  return std::nullopt;
}

}  // namespace perfatlas
