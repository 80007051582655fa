// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/option_problem.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

// The texts of the library that say nothing to a user; it offers no other way to tell what happened.
constexpr std::string_view kNotConverted = "Could not convert: ", kAssigned = " = ";
constexpr std::string_view kOutside = " not in range ", kUpTo = " to ";

constexpr double kNoBound = 1e300;  // CLI::PositiveNumber and NonNegativeNumber say the largest double

/// The option of this name in a verb that was named, or in those below it.
const CLI::Option* find_option(const CLI::App& app, const std::string& name) {
  for (const CLI::App* const verb : app.get_subcommands())
    if (const CLI::Option* const found = find_option(*verb, name)) return found;
  return app.get_option_no_throw(name);
}

/// Kinds of number by the library's names for them.
struct Kind {
  std::string_view type, words, example;
};
constexpr Kind kKinds[] = {{"INT", "a whole number", "8"},
                           {"UINT", "a whole number of at least 0", "8"},
                           {"FLOAT", "a number", "0.5"},
                           {"BOOLEAN", "true or false", "true"}};

std::string kind_problem(const CLI::Option& option, const std::string& name, std::string_view text) {
  const std::string type = option.get_type_name();
  const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                 [&](const Kind& k) { return type.starts_with(k.type); });
  if (option.get_expected_max() == 0)
    return fmt::format("{} takes no value but true or false, not '{}'", name, text);
  if (kind == std::end(kKinds)) return fmt::format("{} '{}' is not {}", name, text, type);
  if (kind->type != "FLOAT" && parse_integer(text).value_or(-1) >= 0)
    return fmt::format("{} {} is larger than any number that fits there", name, text);
  const std::string& usual = option.get_default_str();
  const std::string_view example = parse_real(usual) ? std::string_view(usual) : kind->example;
  return fmt::format("{0} '{1}' is not {2}; give one like {0} {3}", name, text, kind->words, example);
}

/// Of several values, the first that is no number at all, else all of them.
std::string refused_value(const CLI::Option& option, const std::string& joined) {
  for (const std::string& value : option.results())
    if (!parse_real(value)) return value;
  return joined;
}

struct Bounds {
  double least, most;
};

std::string bounds_problem(const CLI::Option& option, const std::string& name, std::string_view text,
                           const Bounds& bounds) {
  if (bounds.most < kNoBound)
    return fmt::format("{} {} is outside of {} to {}; give a number within", name, text,
                       format_real(bounds.least), format_real(bounds.most));
  // The least number above 0 is written as 0.
  const bool above = option.get_type_name().find(CLI::PositiveNumber.get_description()) != std::string::npos;
  return fmt::format("{} {} is too small; give a number {} 0", name, text, above ? "above" : "of at least");
}

}  // namespace

std::string option_problem(const CLI::App& app, const CLI::ParseError& error) {
  const std::string text = error.what();
  if (text.starts_with(kNotConverted)) {
    const size_t equals = text.find(kAssigned);
    const std::string name = text.substr(kNotConverted.size(), equals - kNotConverted.size());
    const CLI::Option* const option = find_option(app, name);
    if (option == nullptr || equals == std::string::npos) return text;
    return kind_problem(*option, name, refused_value(*option, text.substr(equals + kAssigned.size())));
  }
  const size_t outside = text.find(kOutside), to = text.find(kUpTo, outside);
  if (to == std::string::npos) return text;
  const size_t colon = text.find(": Value ");
  const std::string name = text.substr(0, colon);
  const CLI::Option* const option = find_option(app, name);
  const auto least =
      parse_real(std::string_view(text).substr(outside + kOutside.size(), to - outside - kOutside.size()));
  const auto most = parse_real(std::string_view(text).substr(to + kUpTo.size()));
  if (option == nullptr || !least || !most) return text;
  const std::string value = text.substr(colon + 8, outside - colon - 8);
  return parse_real(value) ? bounds_problem(*option, name, value, {*least, *most})
                           : kind_problem(*option, name, value);
}

}  // namespace perfatlas
