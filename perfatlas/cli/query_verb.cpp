// SPDX-License-Identifier: Apache-2.0
// perfatlas query OP: how long would this take, where does the answer come from, how sure is it?
#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/base/heap.h"
#include "perfatlas/cli/op_options.h"
#include "perfatlas/cli/question_lines_command.h"
#include "perfatlas/cli/serving_options.h"
#include "perfatlas/db/answer_text.h"
#include "perfatlas/db/compatible_database.h"
#include "perfatlas/db/database.h"
#include "perfatlas/db/published_database.h"
#include "perfatlas/store/layout.h"

namespace perfatlas {
namespace {

struct QueryArguments {
  QueryOptions options;
  std::string data;
  std::string cache;
  std::string engine;
  std::string systems_path;
  std::string mode = "SILICON", transfers = "default";
  bool json = false;
};

aic::ViewOptions view_of(const QueryArguments& a) {
  const auto mode = aic::mode_from_name(a.mode);
  if (!mode)
    throw UsageError(fmt::format("--mode '{}' is none of SILICON, HYBRID, EMPIRICAL, SOL, SOL_FULL", a.mode));
  return {.mode = *mode, .transfers = aic::TransferPolicy::from_text(a.transfers)};
}

Answer published_answer(const Case& asked, const QueryArguments& a, const QueryOptions& options,
                        std::shared_ptr<const SystemsRoot> root) {
  const auto with_source = [&](Answer answer) {
    if (root->sources().size() > 1 || a.systems_path.empty())
      answer.notes.push_back(fmt::format(
          "tables of {}", root->source_of({answer.system, answer.backend, answer.version}).path()));
    return answer;
  };
  if (options.engine == Engine::atlas) return with_source(PublishedDatabase(root).query(asked, options));
  if (!options.kernel.empty() || options.cache_state)
    throw UsageError(
        "the engine aic chooses kernels itself and knows no cache states: leave out --kernel and --cache");
  return with_source(CompatibleDatabase(root).query(asked, options, view_of(a)));
}

Answer answer_of(const Case& asked, const QueryArguments& a, const QueryOptions& options,
                 const OpRegistry& ops) {
  const auto sources = sources_instead_of_placed(a.systems_path, a.data, options.system);
  if (sources.empty()) return Database(data_root(a.data)).query(asked, options);
  return published_answer(asked, a, options, std::make_shared<const SystemsRoot>(sources, ops));
}

/// Sizes that were not given are those of the declaration, mostly 1: rarely what was meant.
void tell_sizes_not_given(const OpArguments& op, const Case& asked) {
  std::vector<std::string> sizes;
  for (const AxisType& axis : op.op->axes) {
    if (!axis.field) continue;
    const FieldType& field = op.op->fields[*axis.field];
    FieldValues larger = asked.values;
    ++larger[*axis.field];
    if (!op.op->why_invalid(larger).empty()) continue;  // it cannot be another
    const bool given = std::any_of(op.given.begin(), op.given.end(),
                                   [&](const auto& entry) { return entry.first == field.column; });
    if (!given) sizes.push_back(fmt::format("{}={}", field.column, field.format(asked.values[*axis.field])));
  }
  if (!sizes.empty())
    fmt::print(stderr, "perfatlas: note: not given, so taken as declared: {}\n", fmt::join(sizes, ", "));
}

int run_query(const OpArguments& op, const QueryArguments& a, const OpRegistry& ops) {
  use_large_pages();
  QueryOptions options = a.options;
  if (!a.cache.empty()) {
    options.cache_state = from_name<CacheState>(a.cache);
    if (!options.cache_state)
      throw UsageError(fmt::format("--cache '{}' is none of serving, hot and cold", a.cache));
  }
  if (!a.engine.empty()) {
    const auto engine = from_name<Engine>(a.engine);
    if (!engine) throw UsageError(fmt::format("--engine '{}' is none of atlas and aic", a.engine));
    options.engine = *engine;
  }
  const Case asked = op.to_case();
  tell_sizes_not_given(op, asked);
  const Answer answer = answer_of(asked, a, options, ops);
  if (a.json)
    fmt::print("{}\n", answer_json(asked, answer));
  else
    fmt::print("{}", answer_text(asked, answer));
  return answer ? kDone : kFailed;
}

}  // namespace

void add_query(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("query", "How long one op takes, with origin and error bar");
  const auto a = std::make_shared<QueryArguments>();
  const auto more = [a](CLI::App& sub) {
    sub.add_option("--data", a->data,
                   "Data folder; default: PERFATLAS_DATA, else the user's data folder, else imported tables");
    sub.add_option("--system", a->options.system,
                   "System; may be left out when the data folder has only one");
    sub.add_option("--backend", a->options.backend, "Back end; may be left out when only one has this op");
    sub.add_option("--backend-version", a->options.version,
                   "Version of its kernel library; default: the latest");
    sub.add_option("--kernel", a->options.kernel, "Kernel (kernel_source); default: the fastest");
    sub.add_option("--cache", a->cache, "Cache state of the rows; default: serving");
    sub.add_option("--engine", a->engine, "Rules between and beyond rows: atlas (default) or aic");
    add_systems_path_option(sub, a->systems_path,
                            "Published tables instead of a data folder: a wheel, or a folder of systems");
    sub.add_option("--mode", a->mode,
                   "Engine aic on published tables: SILICON, HYBRID, EMPIRICAL, SOL or SOL_FULL [SILICON]");
    sub.add_option("--transfers", a->transfers,
                   "Engine aic: what estimates may borrow from (query --help) [aggressive]");
    sub.add_flag("--allow-sol", a->options.allow_sol,
                 "Without rows, answer the speed of light of the machine");
    sub.add_flag("--json", a->json, "For machines");
  };
  const auto lines = add_question_lines_options(*verb);
  const auto without_op = [&invocation, lines] {
    if (lines->jsonl)
      invocation.action = [&invocation, lines] { return run_question_lines(*lines, invocation.ops); };
    return lines->jsonl;
  };
  add_op_subcommands(
      invocation,
      {verb, more, [a, &invocation](const OpArguments& op) { return run_query(op, *a, invocation.ops); },
       without_op});
  verb->footer(
      "Examples:\n"
      "  perfatlas query gemm --data tables --m 8 --n 4096 --k 1024\n"
      "  perfatlas query attention_generation --batch 8 --heads 16 --kv_heads 8 --step 2000\n"
      "  perfatlas query gemm --systems-path aiconfigurator_core-0.12.0.whl --system h200_sxm --backend vllm "
      "--m 8 "
      "--n 4096 --k 1024\n"
      "  perfatlas query attention_context --engine aic --systems-path WHEEL --system h200_sxm --backend "
      "trtllm "
      "--batch 2 "
      "--isl 3000 --heads 16 --kv_heads 2 --head_dim 128\n"
      "  perfatlas query --jsonl --systems-path aiconfigurator_core-0.12.0.whl < questions.jsonl\n"
      "Exit code 1 when there is no answer; the reason names what is known.");
}

}  // namespace perfatlas
