// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/answer_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace perfatlas {
namespace {

using Json = nlohmann::ordered_json;

std::string percent(std::optional<double> share) {
  if (!share) return "error bar unknown";
  return *share < 1 ? fmt::format("± {:.2g} %", *share * 100) : fmt::format("± {:.0f} %", *share * 100);
}

std::string source_line(const Answer& answer) {
  switch (answer.source) {
    case AnswerSource::measured:
      return "measured";
    case AnswerSource::interpolated:
      return fmt::format("interpolated, {:.2f} octaves from the nearest measured case",
                         answer.distance_octaves);
    case AnswerSource::extrapolated:
      return fmt::format("extrapolated {}, {:.2f} octaves from the nearest measured case",
                         answer.engine == Engine::aic ? "by held efficiency" : "in proportion to work",
                         answer.distance_octaves);
    case AnswerSource::transferred:
      if (answer.engine == Engine::aic) return "transferred from similar slices";
      return fmt::format("transferred from similar slices, {:.2f} octaves from the nearest",
                         answer.distance_octaves);
    case AnswerSource::formula:
      return "formula: no table, from the figures of the machine";
    case AnswerSource::speed_of_light:
      return "speed of light: a lower bound of this machine, nothing was measured";
    case AnswerSource::none:
      break;
  }
  return "none";
}

std::string intervals_line(const Answer& answer) {
  std::string line;
  constexpr std::array<int, 3> kLevels{50, 80, 95};
  for (size_t i = 0; i < kLevels.size(); ++i) {
    const double f = (*answer.intervals)[i];
    line += fmt::format("{}{} %: {:.4g} to {:.4g} ms", i == 0 ? "" : ", ", kLevels[i], answer.latency_ms / f,
                        answer.latency_ms * f);
  }
  return line;
}

std::string place_line(const Answer& answer) {
  std::string line = answer.system;
  if (!answer.backend.empty()) line += fmt::format(" / {} / {}", answer.backend, answer.version);
  if (answer.cache_state)
    line += fmt::format(", cache state {}", name_of(*answer.cache_state));
  else if (!answer.derived_from.empty())
    line += ", cache state not recorded";
  if (!answer.kernel_source.empty()) line += fmt::format(", kernel {}", answer.kernel_source);
  return line;
}

void add_line(std::string& text, std::string_view label, std::string_view content) {
  text += fmt::format("  {:<14} {}\n", label, content);
}

/// The rows with the largest shares.
void add_rows(std::string& text, const std::vector<SupportingRow>& rows) {
  constexpr size_t kMostRows = 8;
  // One row too many is shown rather than counted.
  const size_t shown = rows.size() <= kMostRows + 1 ? rows.size() : kMostRows;
  for (size_t i = 0; i < shown; ++i) {
    const SupportingRow& row = rows[i];
    add_line(text, i == 0 ? "from" : "",
             fmt::format("{}: {:.4g} ms ({}), {}{}{}, weight {:.2f}", row.point, row.latency_ms,
                         percent(row.rel_ci95), row.kernel_source, row.origin.empty() ? "" : " of ",
                         row.origin, row.weight));
  }
  double rest = 0;
  for (size_t i = shown; i < rows.size(); ++i) rest += rows[i].weight;
  if (shown < rows.size())
    add_line(text, "", fmt::format("and {} more rows, weight {:.2f} together", rows.size() - shown, rest));
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json field_json(const FieldType& field, int64_t value) {
  if (field.kind == ValueKind::integer) return value;
  if (field.kind == ValueKind::boolean) return value != 0;
  return field.format(value);
}

}  // namespace

std::string answer_text(const Case& asked, const Answer& answer) {
  std::string text = case_text(asked) + "\n";
  if (!answer) {
    add_line(text, "no answer", answer.miss_reason);
  } else {
    const bool bound = answer.source == AnswerSource::speed_of_light;
    add_line(text, bound ? "at least" : "latency",
             bound ? fmt::format("{:.4g} ms", answer.latency_ms)
                   : fmt::format("{:.4g} ms ({})", answer.latency_ms, percent(answer.rel_error)));
    if (answer.intervals && answer.source != AnswerSource::measured)
      add_line(text, "intervals", intervals_line(answer));
    add_line(text, "energy", answer.energy_mj ? fmt::format("{:.4g} mJ", *answer.energy_mj) : "unknown");
    add_line(text, "source", source_line(answer));
  }
  if (!answer.system.empty()) add_line(text, "where", place_line(answer));
  if (answer && answer.sol_ms && answer.source != AnswerSource::speed_of_light)
    add_line(text, "speed of light",
             fmt::format("{:.4g} ms ({:.0f} % reached)", *answer.sol_ms,
                         *answer.sol_ms / answer.latency_ms * 100));
  add_rows(text, answer.derived_from);
  for (const std::string& note : answer.notes) add_line(text, "note", note);
  return text;
}

std::string answer_json(const Case& asked, const Answer& answer) {
  Json fields = Json::object();
  for (size_t i = 0; i < asked.op->fields.size(); ++i)
    fields[std::string(asked.op->fields[i].column)] = field_json(asked.op->fields[i], asked.values[i]);
  Json rows = Json::array();
  for (const SupportingRow& row : answer.derived_from)
    rows.push_back({{"point", row.point},
                    {"latency_ms", row.latency_ms},
                    {"rel_ci95", or_null(row.rel_ci95)},
                    {"kernel_source", row.kernel_source},
                    {"weight", row.weight},
                    {"origin", row.origin.empty() ? Json(nullptr) : Json(row.origin)}});
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  const Json object = {
      {"op", asked.op->info.id},
      {"fields", fields},
      {"source", name_of(answer.source)},
      {"latency_ms", answer ? Json(answer.latency_ms) : Json(nullptr)},
      {"rel_error", or_null(answer.rel_error)},
      {"engine", name_of(answer.engine)},
      {"intervals", answer.intervals ? Json(*answer.intervals) : Json(nullptr)},
      {"repaired", answer.repaired},
      {"faster_than_light", answer.faster_than_light},
      {"energy_mj", or_null(answer.energy_mj)},
      {"distance_octaves", answer ? Json(answer.distance_octaves) : Json(nullptr)},
      {"sol_ms", or_null(answer.sol_ms)},
      {"system", text_or_null(answer.system)},
      {"backend", text_or_null(answer.backend)},
      {"version", text_or_null(answer.version)},
      {"cache_state", answer.cache_state ? Json(name_of(*answer.cache_state)) : Json(nullptr)},
      {"kernel_source", text_or_null(answer.kernel_source)},
      {"derived_from", rows},
      {"notes", answer.notes},
      {"miss_reason", text_or_null(answer.miss_reason)},
  };
  return object.dump();
}

}  // namespace perfatlas
