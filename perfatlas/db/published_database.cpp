// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/published_database.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/db/answer_parts_impl.h"
#include "perfatlas/db/place_impl.h"
#include "perfatlas/interp/atlas_op.h"
#include "perfatlas/tables/contradictions.h"

namespace perfatlas {

const PublishedDatabase::Loaded& PublishedDatabase::load(const OpType& op, const TableRequest& request) {
  const std::lock_guard lock(mutex_);
  Loaded& loaded = loaded_[{std::string(op.info.id), request.system, request.backend, request.version}];
  if (!loaded.table) {
    loaded.rows = root_->table_rows(op, request);
    const auto known = calibrations_.load(loaded.rows->origin());
    loaded.table =
        std::make_shared<const AtlasTable>(op, slices_of(*loaded.rows, root_->system_of(request)), known);
    if (!known) calibrations_.store(loaded.rows->origin(), loaded.table->calibration());
  }
  return loaded;
}

std::shared_ptr<const AtlasTable> PublishedDatabase::table(const OpType& op, const TableRequest& request) {
  return load(op, request).table;
}

TableRequest PublishedDatabase::place_of(const Case& asked, const QueryOptions& options) const {
  if (options.system.empty())
    throw UsageError(fmt::format("say which system with --system: {}", known_words(root_->systems())));
  root_->system(options.system);  // names the known ones when it is none of them
  TableRequest place{.system = options.system, .backend = options.backend};
  if (place.backend.empty()) {
    std::vector<std::string> with_rows;
    for (const std::string& backend : root_->backends(place.system)) {
      const std::string version = root_->resolve_version(place.system, backend, "");
      if (!root_->table_rows(*asked.op, {place.system, backend, version})->empty())
        with_rows.push_back(backend);
    }
    if (with_rows.size() > 1)
      throw UsageError(fmt::format("{} has {} rows of the back ends {}; say which with --backend",
                                   place.system, asked.op->info.id, known_words(with_rows)));
    place.backend = with_rows.empty() ? root_->backends(place.system).at(0) : with_rows[0];
  }
  place.version = root_->resolve_version(place.system, place.backend, options.version);
  return place;
}

std::string PublishedDatabase::kernel_of(const Case& asked, const TableRequest& place,
                                         const AtlasTable& table) const {
  if (!asked.op->layout.merge.by_kernel) return {};
  const auto generation = root_->system_of(place).sm_version;
  if (!generation) return {};
  const auto lane = root_->default_attention_lane(place, *generation);
  return lane && table.find(asked.values, *lane) != AtlasTable::kNone ? *lane : std::string();
}

Answer PublishedDatabase::query(const Case& asked, const QueryOptions& options) {
  if (const std::string_view why = asked.op->why_invalid(asked.values); !why.empty())
    throw UsageError(fmt::format("{}: {}", case_text(asked), why));
  if (options.cache_state)
    throw UsageError("published tables do not say in which cache state they were measured");
  const TableRequest place = place_of(asked, options);
  const Loaded& loaded = load(*asked.op, place);
  const AtlasTable& table = *loaded.table;
  Answer answer{.system = place.system, .backend = place.backend, .version = place.version};
  const std::string kernel = options.kernel.empty() ? kernel_of(asked, place, table) : options.kernel;
  const uint32_t number = table.find(asked.values, kernel);
  if (number != AtlasTable::kNone) {
    answer_from_slice(answer, loaded, number, asked);
  } else {
    std::vector<FieldValues> prototypes;
    for (uint32_t i = 0; i < table.size(); ++i) prototypes.push_back(table.slice(i).prototype);
    const std::string field = missing_field(*asked.op, asked.values, prototypes);
    answer.miss_reason = field.empty() ? fmt::format("no rows of kernel {}", kernel)
                                       : fmt::format("no rows of {} in {}/{}/{} for {}", asked.op->info.id,
                                                     place.system, place.backend, place.version, field);
    answer_from_similar(answer, table, asked);
  }
  if (!answer && options.allow_sol && table.size() > 0) {
    const double bound = sol_parts(*asked.op, asked.values, table.slice(0).context()).bound_ms();
    if (bound > 0) {
      answer.source = AnswerSource::speed_of_light;
      answer.latency_ms = bound;
      answer.sol_ms = bound;
      answer.notes.push_back(std::exchange(answer.miss_reason, {}));
    }
  }
  return answer;
}

void PublishedDatabase::answer_from_slice(Answer& answer, const Loaded& loaded, uint32_t number,
                                          const Case& asked) const {
  const OpType& op = *asked.op;
  const OpSlice& slice = loaded.table->slice(number);
  const AtlasEstimate e = loaded.table->estimate(number, asked.values);
  if (e.kind == EstimateKind::miss) {
    answer.miss_reason =
        "the case lies beyond the measured points and no speed of light is known to extend them";
    return;
  }
  add_estimate(answer, e);
  std::vector<FieldValues> behind;
  std::optional<std::string> contradiction;
  for (const Support& s : loaded.table->support(number, asked.values)) {
    const uint32_t row = slice.rows[s.point];
    behind.push_back(loaded.rows->values(row));
    answer.derived_from.push_back({axes_text(op, behind.back()), loaded.rows->latency_ms(row), std::nullopt,
                                   std::string(loaded.rows->kernel(row).text()), s.weight});
    if (!contradiction) contradiction = contradiction_of(*loaded.rows, row);
  }
  if (contradiction) answer.notes.push_back(std::move(*contradiction));
  answer.distance_octaves = distance_to(op, asked.values, behind);
  if (!answer.derived_from.empty()) answer.kernel_source = answer.derived_from[0].kernel_source;
  if (const double bound = sol_parts(op, asked.values, slice.context()).bound_ms(); bound > 0)
    answer.sol_ms = bound;
}

void PublishedDatabase::answer_from_similar(Answer& answer, const AtlasTable& table,
                                            const Case& asked) const {
  const auto transferred = table.transfer(asked.values);
  if (!transferred) return;
  add_estimate(answer, transferred->estimate);
  answer.source = AnswerSource::transferred;
  answer.notes.push_back(std::exchange(answer.miss_reason, {}));
  answer.distance_octaves = std::sqrt(transferred->neighbours[0].squared_distance);
  for (const TransferNeighbour& n : transferred->neighbours)
    answer.notes.push_back(
        fmt::format("similar, share {:.2f}: {}", n.share, slice_text(*asked.op, table.slice(n.member))));
  const SolContext context = table.slice(transferred->neighbours[0].member).context();
  if (const double bound = sol_parts(*asked.op, asked.values, context).bound_ms(); bound > 0)
    answer.sol_ms = bound;
}

}  // namespace perfatlas
