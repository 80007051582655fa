// SPDX-License-Identifier: Apache-2.0
// The recorded cases of tests/serving/vectors.json, for the tests and for bench/serving_bench.cpp.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "perfatlas/base/file.h"
#include "perfatlas/serving/constants.h"
#include "perfatlas/serving/simulation.h"

namespace perfatlas::vectors {

using Json = nlohmann::json;

inline Json all() { return Json::parse(read_file(PERFATLAS_SERVING_VECTORS)); }

inline PriceAxis axis(const Json& grids, const char* name) {
  return PriceAxis(grids.at(name).get<std::vector<double>>());
}

inline PriceTables tables(const Json& grids, const Json& t) {
  const auto prices = [&](const char* name) { return t.at(name).get<std::vector<double>>(); };
  return {.identity = "vector",
          .context = {axis(grids, "T"), prices("S")},
          .prompt_attention = {axis(grids, "M"), axis(grids, "SB"), prices("AB")},
          .chunk_attention = {axis(grids, "PN"), axis(grids, "PP"), prices("AP")},
          .decode = {axis(grids, "G"), axis(grids, "K"), prices("D")},
          .decode_attention = {axis(grids, "G"), axis(grids, "K"), prices("GA")},
          .fused_projection_ms = t.at("gfix").get<double>()};
}

inline Workload closed_loop(const Json& par) {
  const double ratio = par.at("r");
  ClosedLoop loop{.users = par.at("N")};
  if (par.contains("nreq")) loop.requests = par.at("nreq").get<int64_t>();
  if (par.contains("waves")) loop.requests = loop.users * par.at("waves").get<int64_t>();
  return {.input = {par.at("isl"), ratio},
          .output = {par.at("osl"), ratio},
          .arrivals = loop,
          .seed = par.at("seed").get<uint32_t>()};
}

inline AggregatedCase aggregated(const Json& par, const PriceTables& prices) {
  const std::array engines{ServingEngine::vllm, ServingEngine::sglang, ServingEngine::trtllm};
  AggregatedCase served;
  served.setup.launch = make_launch(engines.at(par.at("engine").get<size_t>()), {});
  served.setup.launch.token_budget = par.at("B").get<int64_t>();
  served.setup.launch.max_running = par.at("maxrun").get<int64_t>();
  served.setup.launch.recv_interval = par.at("recv").get<int64_t>();
  served.setup.launch.batch_wait_iters = par.at("wi").get<int64_t>();
  served.setup.kv_capacity_tokens = par.at("kvcap");
  served.setup.prices = &prices;
  served.attention_dp = par.at("ranks");
  served.step_overhead_ms = par.at("o_dec");
  served.path = {.front_ms = par.at("front"), .back_ms = par.at("back")};
  served.workload = closed_loop(par);
  return served;
}

}  // namespace perfatlas::vectors
