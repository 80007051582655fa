// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/database.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/db/answer_parts_impl.h"
#include "perfatlas/db/place_impl.h"

namespace perfatlas {
namespace {

std::string state_name(RowState state) { return std::string(state ? name_of(*state) : "not recorded"); }

/// The rows a question is about: what was asked for, else serving, else rows that do not say.
RowState choose_state(const std::vector<RowState>& present, std::optional<CacheState> asked) {
  const bool foreign_only = std::find(present.begin(), present.end(), CacheState::serving) == present.end() &&
                            std::find(present.begin(), present.end(), std::nullopt) != present.end();
  if (!asked && foreign_only) return std::nullopt;
  return asked.value_or(CacheState::serving);
}

/// Why the table has no slice for the question.
std::string why_no_slice(const OpTable& rows, const Case& asked, RowState state, const std::string& kernel) {
  if (const std::string field = rows.missing_field(asked.values); !field.empty())
    return "no rows for " + field;
  const std::vector<RowState> states = rows.states_of(asked.values);
  if (std::find(states.begin(), states.end(), state) != states.end())
    return fmt::format("no rows of kernel {}; measured: {}", kernel,
                       known_words(rows.kernels_of(asked.values, state)));
  std::vector<std::string> names;
  for (const RowState present : states) names.push_back(state_name(present));
  return fmt::format("no rows of cache state {}; measured: {}", state_name(state), known_words(names));
}

}  // namespace

Database::Database(std::string root) : root_(std::move(root)), folders_(list_table_folders(root_)) {
  for (const TableFolder& folder : folders_) systems_.push_back(folder.system);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(root_, ignored)) {
    const std::string name = entry.path().filename().string();
    if (std::filesystem::exists(system_description_path(root_, name), ignored)) systems_.push_back(name);
  }
  std::sort(systems_.begin(), systems_.end());
  systems_.erase(std::unique(systems_.begin(), systems_.end()), systems_.end());
}

const std::string& Database::choose_system(const std::string& asked) const {
  if (systems_.empty())
    throw UsageError(fmt::format("{} holds no system; place a collection there or give --data", root_));
  if (asked.empty() && systems_.size() == 1) return systems_[0];
  if (asked.empty())
    throw UsageError(fmt::format("say which system with --system: {}", known_words(systems_)));
  const auto found = std::find(systems_.begin(), systems_.end(), asked);
  if (found != systems_.end()) return *found;
  const std::string_view guess = nearest_word(asked, {systems_.begin(), systems_.end()});
  throw UsageError(fmt::format("there is no system '{}' in {}{}; known: {}", asked, root_,
                               guess.empty() ? "" : fmt::format(" (did you mean {}?)", guess),
                               known_words(systems_)));
}

const SystemSpec* Database::system_spec(const std::string& system) {
  const auto [at, is_new] = specs_.try_emplace(system);
  const std::string path = system_description_path(root_, system);
  std::error_code ignored;
  if (is_new && std::filesystem::exists(path, ignored))
    at->second = std::make_unique<const SystemSpec>(read_system_spec(path));
  return at->second.get();
}

OpTable& Database::table(const OpType& op, const TableFile& file, const std::string& system) {
  std::unique_ptr<OpTable>& opened = tables_[fmt::format("{}\n{}", file.path, op.info.id)];
  if (!opened) opened = std::make_unique<OpTable>(op, read_table(op, file), system_spec(system));
  return *opened;
}

Answer Database::query(const Case& asked, const QueryOptions& options) {
  if (const std::string_view why = asked.op->why_invalid(asked.values); !why.empty())
    throw UsageError(fmt::format("{}: {}", case_text(asked), why));
  QueryOptions resolved = options;
  resolved.system = choose_system(options.system);
  const Place place = find_place(folders_, *asked.op, resolved);
  Answer answer{
      .engine = options.engine, .system = place.system, .backend = place.backend, .version = place.version};
  answer.notes = place.notes;
  if (place.file)
    answer_from_table(answer, table(*asked.op, *place.file, place.system), asked, resolved);
  else
    answer.miss_reason = place.missing_reason;
  if (!answer && options.allow_sol) answer_speed_of_light(answer, asked, resolved);
  return answer;
}

void Database::answer_from_table(Answer& answer, OpTable& rows, const Case& asked,
                                 const QueryOptions& options) {
  const RowState state = choose_state(rows.states_of(asked.values), options.cache_state);
  const std::string where = fmt::format(" in {}/{}/{}", answer.system, answer.backend, answer.version);
  const TableSlice* slice = rows.find(asked.values, state, options.kernel);
  if (slice == nullptr) {
    answer.miss_reason = why_no_slice(rows, asked, state, options.kernel);
    const size_t semicolon = answer.miss_reason.find(';');  // "no rows for X in PLACE; measured: ..."
    answer.miss_reason.insert(std::min(semicolon, answer.miss_reason.size()), where);
    return;
  }
  if (options.engine == Engine::atlas) {
    answer_by_atlas(answer, rows, *slice, asked, options.kernel);
    if (!answer) answer.miss_reason += where;
    return;
  }
  const Estimate estimate = slice->estimate(asked.values);
  if (estimate.kind == EstimateKind::miss) {
    answer.miss_reason = std::string(estimate.miss_reason) + where;
    return;
  }
  answer.source = source_of(estimate.kind);
  answer.latency_ms = estimate.latency_ms;
  answer.energy_mj = estimate.energy_mj;
  answer.rel_error = slice->relative_error(estimate);
  answer.distance_octaves = estimate.distance;
  answer.cache_state = state;
  add_supporting_rows(answer, *slice, estimate.support());
  const SolContext context{system_spec(answer.system), state.value_or(CacheState::cold)};
  if (const double bound = sol_ms(*asked.op, asked.values, context); bound > 0) answer.sol_ms = bound;
  if (context.system == nullptr) answer.notes.push_back(kNotDescribed);
}

void Database::answer_speed_of_light(Answer& answer, const Case& asked, const QueryOptions& options) {
  const SolContext context{system_spec(answer.system), options.cache_state.value_or(CacheState::serving)};
  const double bound = sol_ms(*asked.op, asked.values, context);
  if (!(bound > 0)) {
    answer.miss_reason += context.system == nullptr
                              ? "; no speed of light either: the machine is not described"
                              : "; no speed of light either: a peak that this op needs is unknown";
    return;
  }
  answer.source = AnswerSource::speed_of_light;
  answer.latency_ms = bound;
  answer.sol_ms = bound;
  answer.cache_state = context.cache;
  answer.backend.clear();
  answer.version.clear();
  answer.notes.push_back(answer.miss_reason);
  answer.miss_reason.clear();
}

}  // namespace perfatlas
