// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/size_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

constexpr double kDeclaredScale = 1.5;                     // of the sizes of ops whose lengths are not known
constexpr int64_t kSmallWindow = 1024;                     // positions; smaller windows fit a few pages
constexpr double kFirstTileClass = 3, kLastTileClass = 9;  // ceil(log2 m) by which libraries pick GEMM tiles

double octaves(int64_t value) { return std::log2(double(std::max<int64_t>(value, 1))); }

/// The exponent of "power_law_1.2" as a coordinate: balanced 0, mild .8, strong 1.
double skew_of(const FieldType& field, int64_t value) {
  const std::string text = field.format(value);
  if (!text.starts_with("power_law")) return 0;
  const auto exponent = parse_real(std::string_view(text).substr(text.rfind('_') + 1));
  return exponent && *exponent > 1.1 ? 1 : .8;
}

}  // namespace

SizeSpace::SizeSpace(const OpType& op) : op_(&op), covered_(op.fields.size(), false) {
  const std::string_view id = op.info.id;
  if (id == "gemm")
    use_gemm();
  else if (id == "attention_context")
    use_context_attention();
  else if (id == "attention_generation")
    use_generation_attention();
  else if (id == "moe")
    use_moe();
  else if (id == "mla_context")
    use_mla_context();
  else if (id == "mla_generation")
    use_mla_generation();
  else
    use_declaration();
  find_family_fields();
}

size_t SizeSpace::field(std::string_view column) const {
  const auto found = op_->find_field(column);
  PERFATLAS_ASSERT(found.has_value());
  return *found;
}

void SizeSpace::size(std::string_view column, double scale, bool running) {
  const size_t f = field(column);
  covered_[f] = true;
  axes_.push_back({std::string(column), scale, running, [f](const FieldValues& v) { return octaves(v[f]); }});
}

void SizeSpace::computed(std::string name, double scale, std::function<double(const FieldValues&)> octaves) {
  axes_.push_back({std::move(name), scale, false, std::move(octaves)});
}

void SizeSpace::use_gemm() {
  size("n", 1.5);
  size("k", 1.5);
  size("m", 2, true);
  computed("tile class", 3, [m = field("m")](const FieldValues& v) {
    return std::clamp(std::ceil(octaves(v[m])), kFirstTileClass, kLastTileClass);
  });
  axes_.back().running = true;
}

void SizeSpace::use_context_attention() {
  size("num_key_value_heads", 4.8);
  size("head_dim", .9);
  const size_t window = field("window_size");
  covered_[window] = true;
  computed("window class", .96, [window](const FieldValues& v) {
    return v[window] == 0 ? 0.0 : v[window] >= kSmallWindow ? 1.0 : 2.0;
  });
  size("num_heads", 2.4);
  size("isl", 1.5, true);
  size("batch_size", 2.4, true);
  size("step", 2, true);
}

void SizeSpace::use_generation_attention() {
  const size_t heads = field("num_heads"), kv = field("num_key_value_heads"), window = field("window_size");
  size("num_key_value_heads", 1.5);
  size("head_dim", 1.5);
  covered_[window] = covered_[heads] = true;
  computed("window class", 1, [window](const FieldValues& v) {
    return v[window] == 0 ? 0.0 : v[window] >= kSmallWindow ? 1.0 : 2.0;
  });
  computed("group", .9, [=](const FieldValues& v) { return octaves(v[heads]) - octaves(v[kv]); });
  computed("multi-head", 1.2, [=](const FieldValues& v) { return v[heads] == v[kv] ? 1.0 : 0.0; });
  size("batch_size", 1.5, true);
  context_length(2);
}

/// Of a decoding step: all tokens that it attends to.
void SizeSpace::context_length(double scale) {
  computed("context", scale, [isl = field("isl"), step = field("step")](const FieldValues& v) {
    return octaves(v[isl] + v[step]);
  });
  axes_.back().running = true;
}

void SizeSpace::use_moe() {
  const size_t tokens = field("num_tokens"), inter = field("inter_size"), tp = field("moe_tp_size"),
               topk = field("topk"), experts = field("num_experts"), ep = field("moe_ep_size"),
               skew = field("distribution"), gated = field("gated");
  for (const size_t f : {tokens, inter, tp, experts, skew, gated}) covered_[f] = true;
  size("hidden_size", .86);
  computed("inter_size / tp", 2.4, [=](const FieldValues& v) { return octaves(v[inter]) - octaves(v[tp]); });
  size("topk", .26);
  computed("experts here", 2.4, [=](const FieldValues& v) { return octaves(v[experts]) - octaves(v[ep]); });
  size("moe_ep_size", 3.2);
  computed("skew", 1.6,
           [skew, type = op_->fields[skew]](const FieldValues& v) { return skew_of(type, v[skew]); });
  // More tokens than experts: every expert has work. Experts without gate run another kernel.
  computed("kernel class", 1.54, [=](const FieldValues& v) {
    return .5 * double(v[tokens] * v[ep] > v[experts]) + 2 * double(v[gated] == 0);
  });
  axes_.back().running = true;
  computed("tokens per expert", 2.4,
           [=](const FieldValues& v) { return octaves(v[tokens]) + octaves(v[topk]) - octaves(v[experts]); });
  axes_.back().running = true;
}

void SizeSpace::use_mla_context() {
  size("num_heads", 2.4);
  size("batch_size", 2.4, true);
  size("isl", 1.5, true);
  size("step", 1.5, true);
}

void SizeSpace::use_mla_generation() {
  size("num_heads", 3.84);
  size("batch_size", 1.5, true);
  context_length(1.5);
}

void SizeSpace::use_declaration() {
  for (size_t f = 0; f < op_->fields.size(); ++f) {
    const FieldType& type = op_->fields[f];
    if (type.kind != ValueKind::integer || type.role == Role::recorded) continue;
    covered_[f] = true;
    axes_.push_back({std::string(type.column), kDeclaredScale, type.role == Role::axis,
                     [f](const FieldValues& v) { return octaves(v[f]); }});
  }
}

void SizeSpace::find_family_fields() {
  for (size_t f = 0; f < op_->fields.size(); ++f)
    if (op_->fields[f].role == Role::exact && !covered_[f]) family_fields_.push_back(f);
}

SliceKey SizeSpace::family_of(const FieldValues& values) const {
  SliceKey key;
  for (const size_t f : family_fields_) key.push_back(values[f]);
  return key;
}

std::string SizeSpace::family_name(const FieldValues& values) const {
  std::string name(op_->info.id);
  for (const size_t f : family_fields_) name.append(1, ' ').append(op_->fields[f].format(values[f]));
  return name;
}

void SizeSpace::append(const FieldValues& values, std::vector<double>& coordinates) const {
  for (const SizeAxis& axis : axes_) coordinates.push_back(axis.octaves(values) / axis.scale);
}

uint64_t SizeSpace::shape_of(const FieldValues& values) const {
  uint64_t hash = 0;
  for (const SizeAxis& axis : axes_)
    if (!axis.running) hash = combine_hashes(hash, uint64_t(std::llround(axis.octaves(values) * 1e6)));
  return hash;
}

uint64_t SizeSpace::cell_of(const FieldValues& values) const {
  uint64_t hash = shape_of(values);
  for (const SizeAxis& axis : axes_)
    if (axis.running) hash = combine_hashes(hash, uint64_t(int64_t(std::floor(axis.octaves(values)))));
  return hash;
}

}  // namespace perfatlas
