// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/search.h"

#include <gtest/gtest.h>

#include "perfatlas/base/error.h"
#include "perfatlas/search/result_files.h"

namespace perfatlas {
namespace {

SearchRequest sound_request() {
  SearchRequest request;
  request.model = "org/model: a \"b\"";
  request.system = "box";
  request.frameworks = {estimate::Framework::vllm};
  request.workload = {.isl = 1000, .osl = 100};
  request.target = {1000, 20};
  request.total_gpus = 8;
  return request;
}

/// What check_request says of a changed sound request; empty when it is accepted.
template <class Change>
std::string refusal_of(Change change) {
  SearchRequest request = sound_request();
  change(request);
  std::string refusal;
  try {
    check_request(request);
  } catch (const UsageError& error) {
    refusal = error.what();
  }
  return refusal;
}

TEST(SearchRequest, ASoundOneIsAccepted) {
  EXPECT_EQ(refusal_of([](SearchRequest&) {}), "");
}

TEST(SearchRequest, NonsenseIsRefusedByItsFlag) {
  EXPECT_EQ(refusal_of([](auto& r) { r.workload.isl = 0; }), "--isl must be a positive number, not 0");
  EXPECT_EQ(refusal_of([](auto& r) { r.workload.prefix = 1000; }),
            "--prefix 1000 must be at least 0 and less than --isl 1000");
  EXPECT_EQ(refusal_of([](auto& r) { r.target.tpot_ms = -1; }), "--tpot must be a positive number, not -1");
  EXPECT_EQ(refusal_of([](auto& r) { r.total_gpus = 0; }), "--total-gpus must be at least 1, not 0");
  EXPECT_EQ(refusal_of([](auto& r) {
              r.request_latency_ms = 100;
              r.workload.osl = 1;
            }),
            "--request-latency needs --osl of at least 2");
  EXPECT_EQ(refusal_of([](auto& r) {
              r.aggregated = false;
              r.total_gpus = 1;
            }),
            "disaggregated serving needs --total-gpus of at least 2");
  EXPECT_EQ(refusal_of([](auto& r) {
              r.version = "0.24.0";
              r.frameworks.push_back(estimate::Framework::sglang);
            }),
            "--backend-version names a version of one back end; give one --backend");
  EXPECT_EQ(refusal_of([](auto& r) { r.workload.accepted = 1; }),
            "--nextn-accepted 1 must lie between 0 and --nextn 0");
}

TEST(SearchResults, TheirFolderIsOneUsableName) {
  EXPECT_EQ(result_folder_name(sound_request()), "org-model--a--b-_box_vllm_isl1000_osl100_ttft1000_tpot20");
  SearchRequest request = sound_request();
  request.model = "../x";
  EXPECT_EQ(result_folder_name(request).find('/'), std::string::npos);
  EXPECT_NE(result_folder_name(request)[0], '.');
}

TEST(SearchResults, AnEmptyResultStillMakesAPage) {
  const SearchResult result{.request = sound_request()};
  const std::string page = search_html(result);
  EXPECT_NE(page.find("org/model: a &quot;b&quot;"), std::string::npos);
  EXPECT_NE(page.find("nothing was found"), std::string::npos);
}

}  // namespace
}  // namespace perfatlas
