// SPDX-License-Identifier: Apache-2.0
// Check values of the engine "atlas" on published tables, computed by an independent prototype of it: latencies to
// 1e-6, 80 % bars to 20 % of their width (the prototype sampled other rows).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "perfatlas/base/text.h"
#include "perfatlas/db/op_slices.h"
#include "perfatlas/interp/atlas_published_sol_test.h"
#include "perfatlas/interp/atlas_transfer.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/tables/published_wheel_test.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

struct Vector {
  int number;
  const char *system, *backend, *version, *op, *fields;
  double latency_ms;
  double bar;  // 80 %, as a factor; 0: not given
};

const Vector kVectors[] = {
    {1, "h100_sxm", "trtllm", "1.3.0rc20", "gemm", "gemm_dtype=bfloat16 n=4096 k=4096 m=100", 0.0158448,
     1.029},
    {2, "h100_sxm", "trtllm", "1.3.0rc20", "gemm", "gemm_dtype=bfloat16 n=4096 k=4096 m=3000", 0.130066764,
     1.077},
    {3, "h100_sxm", "trtllm", "1.3.0rc20", "gemm", "gemm_dtype=bfloat16 n=4608 k=3584 m=1024", 0.0456306674,
     1.039},
    {4, "h100_sxm", "trtllm", "1.3.0rc20", "gemm", "gemm_dtype=fp8 n=2304 k=5632 m=17", 0.0192855326, 1.064},
    {5, "h100_sxm", "trtllm", "1.3.0rc20", "gemm", "gemm_dtype=fp8 n=28672 k=8192 m=512", 0.191669641, 1.039},
    {6, "h100_sxm", "trtllm", "1.3.0rc20", "gemm", "gemm_dtype=fp8_block n=100000 k=4096 m=64", 0.151489626,
     1.098},
    {7, "h100_sxm", "vllm", "0.24.0", "gemm", "gemm_dtype=bfloat16 n=4096 k=4096 m=65536", 3.0586009, 1.168},
    {8, "h100_sxm", "sglang", "0.5.14", "gemm", "gemm_dtype=fp8 n=1280 k=8192 m=4096", 0.121838223, 1.125},
    {9, "h200_sxm", "vllm", "0.24.0", "gemm", "gemm_dtype=bfloat16 n=16 k=8192 m=32", 0.00585259264, 1.103},
    {10, "h200_sxm", "trtllm", "1.3.0rc20", "gemm", "gemm_dtype=fp8 n=7168 k=18432 m=6000", 1.26504455,
     1.060},
    {11, "h100_sxm", "trtllm", "1.3.0rc20", "attention_context",
     "batch_size=4 isl=3000 num_heads=32 num_key_value_heads=8 head_dim=128 window_size=0 beam_width=1 "
     "attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=0",
     0.710956105, 1.054},
    {12, "h100_sxm", "trtllm", "1.3.0rc20", "attention_context",
     "batch_size=3 isl=2048 num_heads=28 num_key_value_heads=8 head_dim=128 window_size=0 beam_width=1 "
     "attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=0",
     0.283777334, 1.039},
    {13, "h100_sxm", "trtllm", "1.3.0rc20", "attention_context",
     "batch_size=1 isl=32768 num_heads=32 num_key_value_heads=8 head_dim=128 window_size=0 beam_width=1 "
     "attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=0",
     16.8706153, 1.132},
    {14, "h100_sxm", "vllm", "0.24.0", "attention_context",
     "batch_size=2 isl=7000 num_heads=64 num_key_value_heads=8 head_dim=128 window_size=0 beam_width=1 "
     "attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=0",
     2.62523234, 1.054},
    {15, "h100_sxm", "sglang", "0.5.14", "attention_context",
     "batch_size=200 isl=1000 num_heads=16 num_key_value_heads=8 head_dim=128 window_size=0 beam_width=1 "
     "attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=0",
     2.50623142, 1.130},
    {16, "h200_sxm", "vllm", "0.24.0", "attention_context",
     "batch_size=6 isl=5000 num_heads=14 num_key_value_heads=14 head_dim=128 window_size=0 beam_width=1 "
     "attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=0",
     1.08588666, 1.097},
    {17, "h100_sxm", "trtllm", "1.3.0rc20", "attention_context",
     "batch_size=1 isl=4096 num_heads=128 num_key_value_heads=4 head_dim=128 window_size=0 beam_width=1 "
     "attn_dtype=fp8 kv_cache_dtype=fp8 step=0",
     0.94893335, 1.055},
    {18, "h100_sxm", "trtllm", "1.3.0rc20", "attention_context",
     "batch_size=4 isl=2048 num_heads=32 num_key_value_heads=8 head_dim=128 window_size=0 beam_width=1 "
     "attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=0",
     0.420863986, 0},
    {19, "h100_sxm", "trtllm", "1.3.0rc20", "attention_generation",
     "batch_size=24 isl=1 num_heads=32 num_key_value_heads=8 head_dim=128 window_size=0 beam_width=1 "
     "attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=2999",
     0.115042884, 1.137},
    {20, "h100_sxm", "vllm", "0.24.0", "attention_generation",
     "batch_size=13 isl=1 num_heads=12 num_key_value_heads=4 head_dim=128 window_size=0 beam_width=1 "
     "attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=4999",
     0.0586296177, 1.112},
    {21, "h100_sxm", "vllm", "0.24.0", "attention_generation",
     "batch_size=4096 isl=1 num_heads=32 num_key_value_heads=4 head_dim=128 window_size=0 beam_width=1 "
     "attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=511",
     1.38698473, 1.327},
    {22, "h100_sxm", "vllm", "0.24.0", "attention_generation",
     "batch_size=1 isl=1 num_heads=32 num_key_value_heads=4 head_dim=128 window_size=0 beam_width=1 "
     "attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=262143",
     0.225656281, 1.227},
    {23, "h200_sxm", "sglang", "0.5.14", "attention_generation",
     "batch_size=100 isl=1 num_heads=40 num_key_value_heads=8 head_dim=128 window_size=0 beam_width=1 "
     "attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=9999",
     0.968886999, 1.466},
    {24, "h100_sxm", "vllm", "0.24.0", "attention_generation",
     "batch_size=16 isl=1 num_heads=8 num_key_value_heads=4 head_dim=128 window_size=0 beam_width=1 "
     "attn_dtype=bfloat16 kv_cache_dtype=bfloat16 step=2047",
     0.0371786691, 0},
    {25, "h100_sxm", "trtllm", "1.3.0rc20", "mla_context",
     "mla_dtype=bfloat16 kv_cache_dtype=bfloat16 num_heads=16 batch_size=3 isl=5000 tp_size=1 step=0",
     0.723449662, 1.062},
    {26, "h100_sxm", "trtllm", "1.3.0rc20", "mla_context",
     "mla_dtype=bfloat16 kv_cache_dtype=bfloat16 num_heads=128 batch_size=1 isl=65536 tp_size=1 step=0",
     308.540871, 1.173},
    {27, "h200_sxm", "sglang", "0.5.14", "mla_context",
     "mla_dtype=bfloat16 kv_cache_dtype=bfloat16 num_heads=24 batch_size=12 isl=900 tp_size=1 step=0",
     0.589797377, 1.080},
    {28, "h100_sxm", "trtllm", "1.3.0rc20", "mla_context",
     "mla_dtype=bfloat16 kv_cache_dtype=bfloat16 num_heads=4 batch_size=128 isl=64 tp_size=1 step=0",
     0.0445493311, 1.071},
    {29, "h100_sxm", "trtllm", "1.3.0rc20", "mla_generation",
     "mla_dtype=bfloat16 kv_cache_dtype=fp8 num_heads=16 batch_size=8 isl=1 tp_size=1 step=3", 0.0135022225,
     1.030},
    {30, "h100_sxm", "trtllm", "1.3.0rc20", "mla_generation",
     "mla_dtype=bfloat16 kv_cache_dtype=fp8 num_heads=16 batch_size=10 isl=1 tp_size=1 step=2999",
     0.0212405108, 1.136},
    {31, "h100_sxm", "sglang", "0.5.14", "mla_generation",
     "mla_dtype=bfloat16 kv_cache_dtype=bfloat16 num_heads=128 batch_size=48 isl=1 tp_size=1 step=5999",
     0.15766281, 1.065},
    {32, "h200_sxm", "trtllm", "1.3.0rc20", "mla_generation",
     "mla_dtype=bfloat16 kv_cache_dtype=bfloat16 num_heads=64 batch_size=2048 isl=1 tp_size=1 step=1023",
     0.754787584, 1.147},
    {33, "h100_sxm", "trtllm", "1.3.0rc20", "mla_bmm",
     "op_name=mla_gen_pre bmm_dtype=bfloat16 num_tokens=100 num_heads=128", 0.00924439949, 1.039},
    {34, "h100_sxm", "trtllm", "1.3.0rc20", "mla_bmm",
     "op_name=mla_gen_post bmm_dtype=fp8 num_tokens=3000 num_heads=24", 0.119331939, 1.126},
    {35, "h100_sxm", "vllm", "0.24.0", "mla_bmm",
     "op_name=mla_gen_pre bmm_dtype=bfloat16 num_tokens=64 num_heads=256", 0.0151316648, 1.212},
    {36, "h100_sxm", "trtllm", "1.3.0rc20", "moe",
     "moe_dtype=fp8_block num_tokens=1000 hidden_size=4096 inter_size=2048 topk=6 num_experts=256 "
     "moe_tp_size=16 moe_ep_size=1 distribution=power_law_1.01 gated=true",
     0.509077182, 1.051},
    {37, "h100_sxm", "trtllm", "1.3.0rc20", "moe",
     "moe_dtype=fp8_block num_tokens=32768 hidden_size=4096 inter_size=2048 topk=6 num_experts=256 "
     "moe_tp_size=16 moe_ep_size=1 distribution=power_law_1.01 gated=true",
     8.20161037, 1.334},
    {38, "h100_sxm", "trtllm", "1.3.0rc20", "custom_all_reduce",
     "allreduce_dtype=bfloat16 num_gpus=8 message_size=3000000", 0.0644480999, 1.023},
    {39, "h100_sxm", "sglang", "0.5.14", "custom_all_reduce",
     "allreduce_dtype=bfloat16 num_gpus=8 message_size=600", 0.0034520515, 1.032},
    {40, "h100_sxm", "nccl", "2.27.3", "collective",
     "op_name=all_reduce nccl_dtype=half num_gpus=8 message_size=50000000", 0.446619791, 1.050},
    {41, "h100_sxm", "nccl", "2.27.3", "collective",
     "op_name=all_gather nccl_dtype=half num_gpus=8 message_size=2000000000", 10.1328246, 1.283},
    {42, "h100_sxm", "trtllm", "1.3.0rc20", "dsa_context_module",
     "architecture=DeepseekV32ForCausalLM mla_dtype=bfloat16 kv_cache_dtype=bfloat16 gemm_type=fp8_block "
     "num_heads=16 batch_size=3 isl=3000 tp_size=1 step=0",
     15.0388628, 1.042},
};

Case case_of(const OpType& op, std::string_view fields) {
  Case c{&op, op.defaults()};
  for (const std::string_view pair : split(fields, ' ')) {
    const size_t equals = pair.find('=');
    set_field(c, pair.substr(0, equals), pair.substr(equals + 1));
  }
  return c;
}

std::string text_of(const OpType& op, const FieldValues& values, std::string_view column) {
  const size_t field = *op.find_field(column);
  return op.fields[field].format(values[field]);
}

double number_of(const OpType& op, const FieldValues& values, std::string_view column) {
  return double(values[*op.find_field(column)]);
}

std::string_view kept(std::string text) { return Symbol(text).text(); }

/// A law over (heads, isl, batch) for an op whose second axis is the cached prefix, which these tables do not have.
SolLaw without_prefix(SolLaw law) {
  return [law](const double* at) {
    const double there[3] = {at[0], at[2], at[3]};
    return law(there);
  };
}

SolLaw published_sol(const OpType& op, const FieldValues& v, const published::Peaks& p) {
  const auto text = [&](std::string_view column) { return kept(text_of(op, v, column)); };
  const auto number = [&](std::string_view column) { return number_of(op, v, column); };
  const auto attention = [&] {
    const double kv = number("num_key_value_heads");
    return published::Attention{text("attn_dtype"), text("kv_cache_dtype"),
                                kv == number("num_heads") ? 0 : kv, number("head_dim"),
                                number("window_size")};
  };
  const std::string_view id = op.info.id;
  if (id == "gemm") return published::gemm(p, text("gemm_dtype"));
  if (id == "attention_context") return without_prefix(published::context_attention(p, attention()));
  if (id == "attention_generation") return published::generation_attention(p, attention());
  if (id == "mla_context")
    return without_prefix(published::context_mla(p, text("mla_dtype"), text("kv_cache_dtype")));
  if (id == "mla_generation") return published::generation_mla(p, text("kv_cache_dtype"));
  if (id == "mla_bmm") return published::mla_bmm(p, text("bmm_dtype"));
  if (id == "custom_all_reduce") return published::custom_all_reduce(p, number("num_gpus"));
  if (id == "collective")
    return published::collective(p, text("op_name"), text("nccl_dtype") == "half" ? 2 : 1,
                                 number("num_gpus"));
  if (id == "dsa_context_module")
    return published::dsa_context(p, text("mla_dtype"), text("kv_cache_dtype"), text("gemm_type"));
  return published::moe(p, text("moe_dtype"),
                        {number("topk"), number("num_experts"), number("hidden_size"), number("inter_size"),
                         number("moe_tp_size"), number("moe_ep_size"), number("gated") > 0 ? 3.0 : 2.0});
}

/// A published table as the engine sees it.
struct EngineTable {
  std::vector<OpSlice> slices;
  std::vector<AtlasSlice> engines;
  AtlasBars bars;
};

class AtlasVectors : public testing::Test {
 protected:
  void SetUp() override {
    PERFATLAS_NEED_WHEEL();
    root_ = std::make_unique<SystemsRoot>(published_wheel(), ops_);
  }

  const EngineTable& table(const Vector& v) {
    const OpType& op = ops_.get(v.op);
    EngineTable& t = tables_[std::string(v.system) + v.backend + v.op];
    if (!t.slices.empty()) return t;
    const published::Peaks peaks = std::string(v.system) == "h100_sxm" ? published::kH100 : published::kH200;
    const auto rows = root_->table_rows(op, {v.system, v.backend, v.version, SharedLayer::off});
    t.slices = slices_of(*rows, root_->system(v.system));
    std::erase_if(t.slices, [](const OpSlice& s) { return s.kernel.ends_with("_eager"); });
    BarCalibration calibration(calibration_share(rows->size()), 1);
    for (const OpSlice& slice : t.slices) {
      t.engines.emplace_back(atlas_law(op), slice.points, published_sol(op, slice.prototype, peaks));
      calibration.add(t.engines.back().cells());
    }
    t.bars = calibration.bars();
    return t;
  }

  OpRegistry ops_ = all_ops();
  std::unique_ptr<SystemsRoot> root_;
  std::map<std::string, EngineTable> tables_;
};

TEST_F(AtlasVectors, InsideAndBeyondTheGrid) {
  for (const Vector& v : kVectors) {
    SCOPED_TRACE(v.number);
    const OpType& op = ops_.get(v.op);
    const Case asked = case_of(op, v.fields);
    const EngineTable& t = table(v);
    const auto slice = std::find_if(t.slices.begin(), t.slices.end(), [&](const OpSlice& s) {
      return op.slice_of(s.prototype) == op.slice_of(asked.values);
    });
    ASSERT_NE(slice, t.slices.end());
    double at[kMaxAxes] = {};
    for (size_t d = 0; d < op.axes.size(); ++d) at[d] = double(op.axes[d].get(asked.values));
    const AtlasEstimate e = t.engines[size_t(slice - t.slices.begin())].estimate(at, t.bars);
    EXPECT_NEAR(e.latency_ms / v.latency_ms, 1, 1e-6);
    if (v.bar > 0) {
      EXPECT_NEAR(double(e.half_width[1]) / std::log(v.bar), 1, 0.2);
    }
  }
}

struct TransferVector {
  int number;
  const char *backend, *version, *dtype, *distribution;
  double tokens;
  published::Experts shape;
  double roofline_ms, nearest_squared, latency_ms;
};

const TransferVector kTransfers[] = {
    {1, "vllm", "0.24.0", "bfloat16", "balanced", 64, {8, 128, 4096, 1536, 2, 4}, 0.245183, 0.3080, 0.262741},
    {2,
     "vllm",
     "0.24.0",
     "bfloat16",
     "balanced",
     1000,
     {8, 128, 4096, 1536, 2, 4},
     0.314478,
     0.3080,
     0.35358},
    {3, "vllm", "0.24.0", "bfloat16", "balanced", 16, {2, 16, 6144, 8192, 8, 1}, 0.219354, 0.2500, 0.196898},
    {4,
     "trtllm",
     "1.3.0rc20",
     "fp8_block",
     "power_law_1.01",
     256,
     {8, 256, 7168, 2048, 1, 24},
     0.206494,
     0.1795,
     0.208841},
    {5,
     "trtllm",
     "1.3.0rc20",
     "fp8_block",
     "power_law_1.01",
     4096,
     {8, 192, 5120, 1408, 1, 8},
     0.717967,
     0.1054,
     0.774861},
};

TransferShape shape_of(std::string_view dtype, const published::Experts& x) {
  return {{{std::log2(x.hidden), std::log2(x.inter / x.tp), 0.5 * std::log2(x.experts / x.ep),
            std::log2(x.topk), std::log2(x.ep)},
           x.topk / x.ep},
          published::smooth_moe(published::kH100, dtype, x)};
}

TEST_F(AtlasVectors, ShapesThatTheTablesDoNotHold) {
  const OpType& op = ops_.get("moe");
  for (const TransferVector& v : kTransfers) {
    SCOPED_TRACE(v.number);
    const EngineTable& t = table({0, "h100_sxm", v.backend, v.version, "moe", "", 0, 0});
    std::vector<TransferMember> members;
    for (size_t i = 0; i < t.slices.size(); ++i) {
      const FieldValues& p = t.slices[i].prototype;
      if (text_of(op, p, "moe_dtype") != v.dtype || text_of(op, p, "distribution") != v.distribution)
        continue;
      const auto number = [&](std::string_view column) { return number_of(op, p, column); };
      members.push_back(
          {shape_of(v.dtype, {number("topk"), number("num_experts"), number("hidden_size"),
                              number("inter_size"), number("moe_tp_size"), number("moe_ep_size")}),
           &t.engines[i]});
    }
    const TransferGroup group({}, std::move(members));
    const TransferShape asked = shape_of(v.dtype, v.shape);
    const auto near = group.neighbours(asked);
    EXPECT_NEAR(group.roofline().at(asked.sol(&v.tokens)) / v.roofline_ms, 1, 2e-3);  // fitted to other rows
    EXPECT_NEAR(near[0].squared_distance, v.nearest_squared, 1e-4);
    EXPECT_NEAR(group.estimate(asked, near, &v.tokens).latency_ms / v.latency_ms, 1, 1e-4);
  }
}

}  // namespace
}  // namespace perfatlas
