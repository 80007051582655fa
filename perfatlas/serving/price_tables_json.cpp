// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/base/error.h"
#include "perfatlas/schema/derive.h"
#include "perfatlas/serving/price_tables.h"

namespace perfatlas {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "perfatlas price tables 1";

/// Reads the tables of one file; every complaint names the file and the key.
class TableReader {
 public:
  TableReader(const Json& json, const std::string& path) : json_(json), path_(path) {}

  [[noreturn]] void complain(const std::string& key, const std::string& what) const {
    throw Error(fmt::format("{}: {} {}; see docs/formats.md, \"Price tables\"", path_, key, what));
  }

  const Json& at(const Json& parent, const std::string& where, const char* key) const {
    if (!parent.is_object() || !parent.contains(key)) complain(where + key, "is missing");
    return parent.at(key);
  }

  std::string text(const char* key) const {
    const Json& value = at(json_, "", key);
    if (!value.is_string()) complain(key, "must be a text");
    return value.get<std::string>();
  }

  double number(const char* key) const {
    const Json& value = at(json_, "", key);
    if (!value.is_number() || value.get<double>() < 0) complain(key, "must be a number, not negative");
    return value.get<double>();
  }

  std::optional<int64_t> tokens_if(const char* key) const {
    if (!json_.contains(key)) return std::nullopt;
    const Json& value = json_.at(key);
    if (!value.is_number_integer() || value.get<double>() < 1)
      complain(key, "must be a whole number above 0");
    return value.get<int64_t>();
  }

  PriceCurve curve(const char* table, const char* axis) const {
    const std::string where = fmt::format("{}.", table);
    const Json& value = at(json_, "", table);
    PriceAxis sizes = axis_of(value, where, axis);
    return {sizes, prices(value, where, sizes.size())};
  }

  PriceSurface surface(const char* table, const char* first, const char* second) const {
    const std::string where = fmt::format("{}.", table);
    const Json& value = at(json_, "", table);
    PriceAxis rows = axis_of(value, where, first), columns = axis_of(value, where, second);
    return {rows, columns, prices(value, where, rows.size() * columns.size())};
  }

 private:
  std::vector<double> numbers(const Json& parent, const std::string& where, const char* key) const {
    const Json& value = at(parent, where, key);
    if (!value.is_array()) complain(where + key, "must be a list of numbers");
    std::vector<double> list;
    for (const Json& item : value) {
      if (!item.is_number()) complain(where + key, "must be a list of numbers");
      list.push_back(item.get<double>());
      if (list.back() < 0) complain(where + key, "has a negative number");
    }
    return list;
  }

  PriceAxis axis_of(const Json& parent, const std::string& where, const char* key) const {
    std::vector<double> sizes = numbers(parent, where, key);
    if (sizes.empty()) complain(where + key, "is empty");
    for (size_t i = 1; i < sizes.size(); ++i)
      if (sizes[i] <= sizes[i - 1]) complain(where + key, "must ascend");
    return PriceAxis(std::move(sizes));
  }

  std::vector<double> prices(const Json& parent, const std::string& where, size_t count) const {
    std::vector<double> list = numbers(parent, where, "ms");
    if (list.size() != count)
      complain(where + "ms", fmt::format("has {} prices where its axes ask for {}", list.size(), count));
    return list;
  }

  const Json& json_;
  const std::string& path_;
};

Json surface_json(const PriceSurface& surface, const char* first, const char* second) {
  return {{first, surface.first().values()}, {second, surface.second().values()}, {"ms", surface.price_ms()}};
}

}  // namespace

std::string price_tables_json(const PriceTables& prices) {
  Json json{{"format", kFormat},
            {"identity", prices.identity},
            {"source", std::string(name_of(prices.source))},
            {"context", {{"tokens", prices.context.axis().values()}, {"ms", prices.context.price_ms()}}},
            {"prompt_attention", surface_json(prices.prompt_attention, "prompts", "tokens_each")},
            {"chunk_attention", surface_json(prices.chunk_attention, "new_tokens", "cached_tokens")},
            {"decode", surface_json(prices.decode, "sequences", "kv_tokens")},
            {"decode_attention", surface_json(prices.decode_attention, "sequences", "kv_tokens")},
            {"fused_projection_ms", prices.fused_projection_ms}};
  if (prices.max_seq_len) json["max_seq_len"] = *prices.max_seq_len;
  return json.dump() + "\n";
}

PriceTables parse_price_tables(const std::string& text, const std::string& path) {
  const Json json = Json::parse(text, nullptr, false);
  const TableReader reader(json, path);
  if (json.is_discarded())
    throw Error(fmt::format("{} is not JSON; write it with perfatlas simulate --write-prices", path));
  if (reader.text("format") != kFormat)
    reader.complain("format",
                    fmt::format("is '{}', this program reads '{}'", reader.text("format"), kFormat));
  const auto source = FieldCodec<PriceSource>::parse(reader.text("source"));
  if (!source) reader.complain("source", "must be measured or transferred");
  return {.identity = reader.text("identity"),
          .source = PriceSource(*source),
          .max_seq_len = reader.tokens_if("max_seq_len"),
          .context = reader.curve("context", "tokens"),
          .prompt_attention = reader.surface("prompt_attention", "prompts", "tokens_each"),
          .chunk_attention = reader.surface("chunk_attention", "new_tokens", "cached_tokens"),
          .decode = reader.surface("decode", "sequences", "kv_tokens"),
          .decode_attention = reader.surface("decode_attention", "sequences", "kv_tokens"),
          .fused_projection_ms = reader.number("fused_projection_ms")};
}

}  // namespace perfatlas
