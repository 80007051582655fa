// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe_comm/moe_comm.h"

#include <algorithm>

namespace perfatlas {
namespace {

/// Bytes of an element on the wire; `default` is DeepEP's: 8 bits out, 16 back.
double wire_bytes(std::string_view dtype, std::string_view phase) {
  if (dtype == "default") return phase == "combine" ? 2 : 1;
  if (dtype == "fp8") return 1;
  if (dtype == "nvfp4") return traits_of(Quant::nvfp4).weight_bytes;
  return dtype == "fp4" ? 0.5 : 2;
}

constexpr double kCountBytes = 4;  // one 32-bit number per token and choice

}  // namespace

std::string_view ExpertExchange::why_invalid() const {
  if (tokens < 1 || hidden < 1 || topk < 1 || experts < 1)
    return "tokens, hidden, topk and experts must be positive";
  return ranks < 2 ? "one rank has nobody to exchange tokens with" : std::string_view{};
}

double ExpertExchange::copies() const { return double(std::min({topk, experts, ranks - 1})); }

std::string_view TrtllmAllToAll::why_invalid() const {
  return ExpertExchange{tokens, hidden, topk, experts, ep}.why_invalid();
}

Work TrtllmAllToAll::work() const {
  const double row =
      double(tokens) * ExpertExchange{tokens, hidden, topk, experts, ep}.copies() * double(hidden);
  const std::string_view name = phase.text();
  if (name == "alltoall_prepare") return {.activation_bytes_read = kCountBytes * double(tokens * topk)};
  if (name == "alltoall_combine") return {.activation_bytes_read = 2 * row};
  if (name == "alltoall_combine_low_precision") return {.activation_bytes_read = 0.5 * row};
  return {.activation_bytes_read = traits_of(dtype).weight_bytes * row};
}

std::string_view MoeAllToAll::why_invalid() const {
  if (nodes < 1 || sms < 0) return "node_num must be positive and sms not negative";
  return ExpertExchange{tokens, hidden, topk, experts, ep}.why_invalid();
}

Work MoeAllToAll::work() const {
  if (phase.text() == "prepare") return {.activation_bytes_read = kCountBytes * double(tokens * topk)};
  const double copies = ExpertExchange{tokens, hidden, topk, experts, ep}.copies();
  return {.activation_bytes_read =
              double(tokens) * copies * double(hidden) * wire_bytes(dtype.text(), phase.text())};
}

std::string_view DeepEpCase::why_invalid() const { return exchange().why_invalid(); }

Work DeepEpCase::work() const {
  const double both = wire_bytes("default", "dispatch") + wire_bytes("default", "combine");
  return {.activation_bytes_read = both * double(tokens) * exchange().copies() * double(hidden)};
}

}  // namespace perfatlas
