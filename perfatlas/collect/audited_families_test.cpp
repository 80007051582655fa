// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/audited_families.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace perfatlas {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

AuditRecord of(StopVerdict verdict) {
  return {.family = "gemm bfloat16",
          .places = 1200,
          .audits = 120,
          .p90 = .1,
          .p90_low = .09,
          .p90_high = .12,
          .noise_floor = .01,
          .verdict = std::string(name_of(verdict)),
          .target = .08};
}

TEST(AuditText, ATargetThatTheWholeShareDidNotReachIsSaidWithWhatToDo) {
  const std::string text = audit_text(of(StopVerdict::go_on), true);
  EXPECT_THAT(text, HasSubstr("gemm bfloat16: p90 10.0 % (9.0 to 12.0) by 120 audits after 1200 points"));
  EXPECT_THAT(text, HasSubstr("noise makes 1.0 %"));
  EXPECT_THAT(text, HasSubstr("target 8.0 % not reached with the family's share"));
  EXPECT_THAT(text, HasSubstr("--share gemm="));
}

TEST(AuditText, WhilePlacesAreLeftTheTargetIsNotReachedYet) {
  EXPECT_THAT(audit_text(of(StopVerdict::go_on), false), EndsWith("target 8.0 % not reached yet"));
}

TEST(AuditText, EveryVerdictOfATargetIsSaidInWords) {
  EXPECT_THAT(audit_text(of(StopVerdict::reached), false), EndsWith("target 8.0 % reached"));
  EXPECT_THAT(audit_text(of(StopVerdict::plateau), false), EndsWith("more points no longer help"));
  EXPECT_THAT(audit_text(of(StopVerdict::unreachable), false),
              HasSubstr("out of reach: the rows' own noise"));
}

TEST(AuditText, WithoutATargetThereIsNoneToSpeakOf) {
  AuditRecord record = of(StopVerdict::go_on);
  record.target.reset();
  EXPECT_THAT(audit_text(record, true), Not(HasSubstr("target")));
}

}  // namespace
}  // namespace perfatlas
