// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/store/schema_lock.h"

#include <gmock/gmock.h>

#include "perfatlas/store/toy_tables_test.h"

namespace perfatlas {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <class... Ops>
OpRegistry registry() {
  OpRegistry ops;
  (ops.add(make_op_type<Ops>()), ...);
  return ops;
}

OpRegistry with_changed_fields() {
  OpRegistry ops;
  OpType type = make_op_type<ToyOp>();
  type.fields[1].column = "rows";
  ops.add(type);
  return ops;
}

TEST(SchemaLock, AgreesWithWhatItWasMadeFrom) {
  const OpRegistry ops = registry<ToyOp, ToySteps>();
  const auto problems = compare_schema_lock(ops, schema_lock_text(ops));
  EXPECT_THAT(problems.breaking, IsEmpty());
  EXPECT_THAT(problems.stale, IsEmpty());
  EXPECT_NE(schema_lock_text(ops).find("op toy revision 1 table toy_perf\n  framework utf8\n"),
            std::string::npos);
}

TEST(SchemaLock, ChangedColumnsNeedANewRevision) {
  const auto problems = compare_schema_lock(with_changed_fields(), schema_lock_text(registry<ToyOp>()));
  EXPECT_THAT(problems.breaking, ElementsAre("op toy: the columns changed but revision 1 did not; raise it"));
}

TEST(SchemaLock, NewRevisionsOpsAndLossesAreStale) {
  OpRegistry revised;
  OpType type = make_op_type<ToyOp>();
  type.info.revision = 2;
  type.fields[1].column = "rows";
  revised.add(type);
  EXPECT_THAT(compare_schema_lock(revised, schema_lock_text(registry<ToyOp, ToySteps>())).stale,
              ElementsAre("op toy has a new revision 2", "op toy_steps is gone"));
  EXPECT_THAT(compare_schema_lock(registry<ToyOp>(), schema_lock_text(revised)).breaking,
              ElementsAre("op toy went back from revision 2 to 1"));
  EXPECT_THAT(compare_schema_lock(revised, "").stale, ElementsAre("op toy is not in the lock yet"));
}

}  // namespace
}  // namespace perfatlas
