// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/op_options.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

/// The flag and the column, as far as the verb has no option of that name; --row_COLUMN where it has both.
std::string option_names(const CLI::App& app, const FieldType& field) {
  std::string names;
  for (const std::string_view name : {field.flag, field.column}) {
    const std::string option = fmt::format("--{}", name);
    if (names == option || app.get_option_no_throw(option) != nullptr) continue;
    names += (names.empty() ? "" : ",") + option;
  }
  return names.empty() ? fmt::format("--row_{}", field.column) : names;
}

void add_field_options(CLI::App& app, const OpType& op, OpArguments& arguments) {
  for (const FieldType& field : op.fields) {
    const std::string column(field.column);
    const std::string help =
        fmt::format("{}: {} [{}]", field.doc, field.expected(), field.format(field.default_value));
    app.add_option_function<std::string>(
           option_names(app, field),
           [&arguments, column](const std::string& text) { arguments.given.emplace_back(column, text); },
           help)
        ->type_name("VALUE")
        ->group("Fields");
  }
}

/// An option that is neither a field nor one of the verb's own.
[[noreturn]] void refuse_extra(const OpType& op, const std::string& word) {
  std::vector<std::string_view> flags;
  for (const FieldType& field : op.fields) flags.push_back(field.flag);
  throw UsageError(fmt::format("op {} has no field or option '{}'; its fields are {}", op.info.id, word,
                               join_words(flags)));
}

}  // namespace

Case OpArguments::to_case() const {
  Case c{op, op->defaults()};
  for (const auto& [column, text] : given) set_field(c, column, text);
  if (const std::string_view why = op->why_invalid(c.values); !why.empty())
    throw UsageError(fmt::format("{}: {} ({})", op->info.id, why, fields_text(c)));
  return c;
}

void add_op_subcommands(Invocation& invocation, const PerOpVerb& verb) {
  if (invocation.requested_verb != verb.verb->get_name()) return;
  const OpType* const requested = invocation.ops.find(invocation.requested_op);
  for (const auto& op : invocation.ops.ops()) {
    if (requested != nullptr && op.get() != requested) continue;  // those of all take as long as many answers
    CLI::App* sub = verb.verb->add_subcommand(std::string(op->info.id), std::string(op->info.doc));
    const auto arguments = std::make_shared<OpArguments>();
    arguments->op = op.get();
    // Only for the op that is named: the options of all take 3 ms.
    sub->preparse_callback([sub, arguments, more = verb.more](size_t) {
      if (more) more(*sub);
      add_field_options(*sub, *arguments->op, *arguments);
    });
    sub->allow_extras();
    sub->callback([&invocation, sub, arguments, run = verb.run] {
      const std::vector<std::string> extra = sub->remaining();
      if (!extra.empty()) refuse_extra(*arguments->op, extra.front());
      invocation.action = [arguments, run] { return run(*arguments); };
    });
  }
  // Whatever is no subcommand is a misspelt op: say which ops there are.
  verb.verb->allow_extras();
  verb.verb->callback([&invocation, v = verb.verb, without_op = verb.without_op] {
    const std::vector<std::string> words = v->remaining();
    if (!v->get_subcommands().empty() && words.empty()) return;
    if (words.empty() && without_op && without_op()) return;
    if (words.empty() || words.front().starts_with("-"))
      throw UsageError(fmt::format("{0} needs an op first; see perfatlas {0} --help", v->get_name()));
    (void)invocation.ops.get(words.front());
  });
}

}  // namespace perfatlas
