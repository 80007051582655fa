// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/compatible_database.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/aic/case_question.h"
#include "perfatlas/aic/open_engine.h"
#include "perfatlas/base/error.h"
#include "perfatlas/db/answer_parts_impl.h"
#include "perfatlas/db/place_impl.h"
#include "perfatlas/tables/contradictions.h"

namespace perfatlas {
namespace {

AnswerSource source_of(const aic::Price& price, const aic::Ground& ground) {
  using aic::Provenance;
  if (price.source == aic::Source::sol) return AnswerSource::speed_of_light;
  if (price.provenance > Provenance::empirical) return AnswerSource::transferred;
  if (price.provenance == Provenance::empirical) return AnswerSource::extrapolated;
  if (ground.kind != EstimateKind::miss) return source_of(ground.kind);
  return price.source == aic::Source::empirical ? AnswerSource::formula : AnswerSource::interpolated;
}

void add_rows(Answer& answer, const aic::Ground& ground) {
  std::vector<std::string> kernels;
  std::optional<std::string> contradiction;
  for (const aic::RowShare& share : ground.rows) {
    const TableRows& table = *share.table;
    SupportingRow row{axes_text(table.op(), table.values(share.row)), table.latency_ms(share.row),
                      std::nullopt, std::string(table.kernel(share.row).text()), share.weight};
    const TableSource& file = table.sources()[table.source(share.row)].source;
    if (file.channel != SourceChannel::primary) row.origin = fmt::format("{} {}", file.backend, file.version);
    if (std::find(kernels.begin(), kernels.end(), row.kernel_source) == kernels.end())
      kernels.push_back(row.kernel_source);
    answer.derived_from.push_back(std::move(row));
    if (!contradiction) contradiction = contradiction_of(table, share.row);
  }
  if (contradiction) answer.notes.push_back(std::move(*contradiction));
  answer.kernel_source = fmt::format("{}", fmt::join(kernels, "+"));
}

}  // namespace

const aic::Engine& CompatibleDatabase::engine(const QueryOptions& options, aic::Mode mode) {
  const std::lock_guard lock(mutex_);
  const aic::EnginePlace place{options.system, options.backend, options.version};
  const std::tuple key{place.system, place.backend, place.version,
                       aic::answers_without_tables(*root_, place, mode)};
  const auto made = engines_.find(key);
  if (made != engines_.end()) return made->second;
  return engines_.emplace(key, aic::open_engine(*root_, place, mode)).first->second;
}

Answer CompatibleDatabase::query(const Case& asked, const QueryOptions& options,
                                 const aic::ViewOptions& view) {
  if (const std::string_view why = asked.op->why_invalid(asked.values); !why.empty())
    throw UsageError(fmt::format("{}: {}", case_text(asked), why));
  if (options.system.empty())
    throw UsageError(fmt::format("say which system with --system: {}", known_words(root_->systems())));
  root_->system(options.system);  // names the known ones when it is none of them
  if (options.backend.empty())
    throw UsageError(
        fmt::format("say which back end with --backend: {}", known_words(root_->backends(options.system))));
  const auto question = aic::question_of(asked);
  if (!question)
    throw UsageError(
        fmt::format("{} alone is no layer of a model to the engine aic: ask the engine atlas, or for the "
                    "layer it is a part "
                    "of; query --jsonl with an unknown op lists them",
                    asked.op->info.id));
  const aic::Engine& tables = engine(options, view.mode);
  Answer answer{.engine = Engine::aic, .system = options.system};
  if (!aic::answers_without_tables(*root_, {options.system, options.backend, options.version}, view.mode)) {
    answer.backend = options.backend;
    answer.version = root_->resolve_version(options.system, options.backend, options.version);
  }
  const aic::BoundOp bound = tables.view(view).bind(question->op);
  const aic::Price price = bound.price(question->at);
  if (!price.ok()) {
    answer.miss_reason = fmt::format("{}: {}", name_of(price.failure), bound.explain(question->at));
    return answer;
  }
  const aic::Ground ground = bound.ground(question->at);
  answer.source = source_of(price, ground);
  answer.latency_ms = price.latency_ms;
  if (price.energy_mj > 0) answer.energy_mj = price.energy_mj;
  answer.distance_octaves = ground.distance_octaves;
  add_rows(answer, ground);
  if (price.provenance != aic::Provenance::none)
    answer.notes.push_back(
        fmt::format("an estimate of mode {}, provenance {}", name_of(view.mode), name_of(price.provenance)));
  const aic::Price bound_ms = tables.view({.mode = aic::Mode::sol}).bind(question->op).price(question->at);
  if (bound_ms.ok() && bound_ms.latency_ms > 0) answer.sol_ms = bound_ms.latency_ms;
  return answer;
}

}  // namespace perfatlas
