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

/// Nothing for options that take no number.
const Kind* kind_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const Kind* const kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                        [&](const Kind& k) { return type.starts_with(k.type); });
  return kind == std::end(kKinds) ? nullptr : kind;
}

/// Whether the text is a decimal integer of any length.
bool is_whole(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string kind_problem(const CLI::Option& option, const std::string& name, std::string_view text) {
  const Kind* const kind = kind_of(option);
  if (option.get_expected_max() == 0)
    return fmt::format("{} takes no value but true or false, not '{}'", name, text);
  if (kind == nullptr) return fmt::format("{} '{}' is not {}", name, text, option.get_type_name());
  const bool negative = text.starts_with('-');
  if (kind->type != "FLOAT" && is_whole(text) && !(negative && kind->type == "UINT"))
    return fmt::format("{} {} is {} than any number that fits there", name, text,
                       negative ? "smaller" : "larger");
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

/// The value as the library will read it: plain decimal, for it takes "010" for 8. What is wrong with it, else empty.
std::string make_plain(const CLI::Option& option, std::string& value) {
  const std::string name = option.get_name();
  const Kind* const kind = kind_of(option);
  if (kind == nullptr || kind->type == "BOOLEAN")
    return value.empty() ? fmt::format("{} is empty; give a value, or leave it out", name) : "";
  if (kind->type == "FLOAT") return parse_real(value) ? "" : kind_problem(option, name, value);
  const auto whole = parse_integer(value);
  if (!whole || (kind->type == "UINT" && *whole < 0)) return kind_problem(option, name, value);
  value = std::to_string(*whole);
  return {};
}

}  // namespace

void check_values(CLI::App& app) {
  for (CLI::Option* const option : app.get_options())
    if (option->get_expected_min() > 0)
      option->transform(
          CLI::Validator([option](std::string& value) { return make_plain(*option, value); }, "", "value"));
  for (CLI::App* const verb : app.get_subcommands([](const CLI::App*) { return true; })) check_values(*verb);
}

std::string option_problem(const CLI::App& app, const CLI::ParseError& error) {
  const std::string text = error.what();
  const std::string named = text.substr(0, text.find(": "));
  if (text.starts_with(named + ": " + named + " ")) return text.substr(named.size() + 2);  // of make_plain
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
