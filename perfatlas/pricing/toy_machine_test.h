// SPDX-License-Identifier: Apache-2.0
// A small model and a data folder with gemm tables of one machine, for tests of prices that come from placed tables.
#pragma once

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "perfatlas/models/model.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/schema/derive.h"
#include "perfatlas/store/csv.h"

namespace perfatlas {

/// Its folder goes with it. A gemm of m rows takes m / 100 ms plus 1 ms, whatever its n and k.
class ToyMachine {
 public:
  static constexpr double kFixedMs = 1, kMsPerRow = 0.01;

  ToyMachine() {
    std::string pattern = (std::filesystem::temp_directory_path() / "perfatlas-toy-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    std::ofstream(root_ / "config.json")
        << R"({"architectures":["Qwen3ForCausalLM"],"model_type":"qwen3","hidden_size":256,"intermediate_size":512,)"
           R"("num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":64,"vocab_size":1000,)"
           R"("max_position_embeddings":4096,"rms_norm_eps":1e-6,"rope_theta":10000,"tie_word_embeddings":true,)"
           R"("attention_bias":false,"hidden_act":"silu","torch_dtype":"bfloat16"})";
    model_ = find_model((root_ / "config.json").string(), {}, ops_);
  }
  ~ToyMachine() { std::filesystem::remove_all(root_); }
  ToyMachine(const ToyMachine&) = delete;
  ToyMachine& operator=(const ToyMachine&) = delete;

  /// Writes the table of the model's gemms, from 1 to `most_rows` rows in powers of two.
  void place_gemms(int64_t most_rows) {
    std::vector<Row> rows;
    std::set<uint64_t> seen;
    for (int64_t m = 1; m <= most_rows; m *= 2)
      for (const OpUse& use : model_->step({Phase::generation, m, 1, 0}, {}))
        if (use.c.op->info.id == "gemm" && seen.insert(case_id(use.c)).second) {
          Row row{.c = use.c};
          row.framework = "TEST", row.version = "1", row.device = "A toy", row.kernel_source = "default";
          row.measured = {kFixedMs + kMsPerRow * double(decode<Gemm>(use.c.values).m)};
          rows.push_back(std::move(row));
        }
    const auto folder = root_ / "tables/toy/ggml/1";
    std::filesystem::create_directories(folder);
    write_csv_table(*ops_.find("gemm"), rows, (folder / "gemm_perf.txt").string());
  }

  const OpRegistry& ops() const { return ops_; }
  const Model& model() const { return *model_; }
  std::string config() const { return (root_ / "config.json").string(); }
  std::string tables() const { return (root_ / "tables").string(); }

 private:
  OpRegistry ops_ = all_ops();
  std::filesystem::path root_;
  std::unique_ptr<Model> model_;
};

}  // namespace perfatlas
