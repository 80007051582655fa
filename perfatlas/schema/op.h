// SPDX-License-Identifier: Apache-2.0
// What an op declares. An op is a plain struct; every table, flag, column, document and test is derived from it.
//
//   struct Gemm {
//     Quant dtype; int64_t m, n, k;                       // a case, a table key and a query are this value
//     static constexpr OpInfo info{...};                  // identity of the op and of its table
//     static constexpr auto fields = std::tuple{...};     // in column order
//     static constexpr auto axes = std::array{...};       // how the database moves between measured points
//     static constexpr TableLayout layout{...};
//     std::string_view why_invalid() const;               // empty when the case makes sense on some device
//     Work work() const;                                  // lower bound on arithmetic and traffic
//     Operands operands() const;                          // optional: absent for imported-only tables
//     void reference(std::vector<HostOperand>&) const;    // optional: naive result, judges every kernel
//     static void model_cases(const ModelShapes&, const CaseSink<Gemm>&);  // shapes of real models
//     static void aic_cases(const AicGrid&, const CaseSink<Gemm>&);        // optional: the published grid
//     static std::optional<Gemm> published(Gemm, Symbol kernel);  // optional: what a published row of these fields,
//                                         // measured by this kernel_source, is to this op; nothing: no row of it
//   };
//
// An op knows no device, no framework, no file path and no clock.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>

#include "perfatlas/schema/dtype.h"
#include "perfatlas/schema/operand.h"
#include "perfatlas/schema/symbol.h"
#include "perfatlas/schema/work.h"

namespace perfatlas {

/// How a field takes part in a query.
enum class Role {
  exact,     // part of the table key: a query must name a measured value
  axis,      // enters the interpolation axes
  recorded,  // kept with the row, not looked at by queries (beam_width; tp_size beside local heads)
};

/// One field of an op. T is int64_t, bool, an enumeration with kEnumNames, or Symbol.
template <class Op, class T>
struct Field {
  std::string_view column;  // name in files; also the long form of the flag
  T Op::*member;
  Role role;
  std::string_view doc;                        // one phrase, with the unit when it is not a count
  std::string_view flag;                       // short form on the command line and in repro lines
  int64_t (Op::*key)() const = nullptr;        // table key of an exact field when it is not the value itself
  std::optional<T> absent = {};                // see absent_is
  T (Op::*absent_function)() const = nullptr;  // see absent_follows
  bool distinguishes = false;                  // see distinguishing

  /// The value under which rows are filed (GQA: 0 when kv heads equal heads).
  constexpr Field keyed_by(int64_t (Op::*function)() const) const {
    Field copy = *this;
    copy.key = function;
    return copy;
  }
  /// Published tables may lack the column; their rows then have `value`. Tables written here always have it.
  constexpr Field absent_is(T value) const {
    Field copy = *this;
    copy.absent = value;
    return copy;
  }
  /// The same where the value follows from the row's other fields: `function` of an op that has them.
  constexpr Field absent_follows(T (Op::*function)() const) const {
    Field copy = *this;
    copy.absent_function = function;
    return copy;
  }
  /// A recorded field that nevertheless tells measurements apart: rows that differ in it alone are kept side by side
  /// when tables are merged (tp_size, which with the local heads gives the heads of the model).
  constexpr Field distinguishing() const {
    Field copy = *this;
    copy.distinguishes = true;
    return copy;
  }
  /// Another name on the command line.
  constexpr Field flagged(std::string_view name) const {
    Field copy = *this;
    copy.flag = name;
    return copy;
  }
};

/// A field may claim one of the identity columns `op_name` or `kernel_source` (tables that keep a sub-kernel or a
/// direction there); the writer then takes that column from the field. Where kernel_source is claimed, the kernel that
/// really ran stands in a column of its own, `kernel`.
template <class Op, class T>
constexpr Field<Op, T> field(std::string_view column, T Op::*member, Role role, std::string_view doc) {
  return {column, member, role, doc, column};
}

/// How values vary along an axis; chosen per op from its speed of light.
enum class Transform { raw, sqrt };

/// In which coordinate an axis is straight beyond its last key (interp/atlas_law.h): work = arithmetic + traffic.
enum class Beyond {
  work,
  work_above,  // above in work, below the first key in the value: work has integer steps there
  value,       // work says too little: another part of the op bends it
};

/// One interpolation axis: a function of the op's fields and its inverse.
template <class Op>
struct Axis {
  std::string_view name;
  int64_t (*get)(const Op&);
  void (*set)(Op&, int64_t);  // changes only the fields behind this axis
  Transform transform = Transform::raw;
  Beyond beyond = Beyond::work;
  int64_t Op::*member = nullptr;  // the field that the axis is, when it is one

  constexpr Axis straight_in(Beyond coordinate) const {
    Axis copy = *this;
    copy.beyond = coordinate;
    return copy;
  }
};

/// The axis that is one field.
template <auto Member, class Op>
constexpr Axis<Op> axis(std::string_view name, Transform transform = Transform::raw) {
  return {name,
          [](const Op& op) { return op.*Member; },
          [](Op& op, int64_t value) { op.*Member = value; },
          transform,
          Beyond::work,
          Member};
}

/// Which resolver answers between measured points (interp/).
enum class Resolver {
  grid,   // every axis nested, in order, outermost first
  sites,  // the leading `site_axes` axes name scattered sites; the last axis is a curve at each site
};

/// How published tables, which are made from several files, treat rows of one key (the exact fields, the axes and what
/// is distinguishing()).
struct TableMerge {
  /// Within one file; of several files the first one that has the key counts.
  enum class Repeats { first_counts, last_counts, refused };
  Repeats repeats = Repeats::first_counts;
  bool by_kernel = false;  // kernel_source belongs to the key: kernels are tables of their own
  enum class Files {
    all,         // fill each other's holes key by key
    first,       // only the first file is read
    whole_slice  // a later file counts only in slices that no earlier file has
  };
  Files files = Files::all;
};

struct TableLayout {
  Resolver resolver = Resolver::grid;
  int site_axes = 0;          // only for Resolver::sites
  bool clamp_to_sol = false;  // stored latencies below the speed of light are raised to it when loaded
  double growth_limit =
      1;  // beyond the data at most this times what held efficiency gives (interp/atlas_law.h)
  bool log_curve = false;  // one axis over many octaves on which latency bends smoothly: message sizes
  TableMerge merge = {};
  std::string_view why = {};  // the axis decision: token-equivalent or not, and the speed-of-light reason
};

/// A measured column. Latency is their sum after `to_ms`; columns with to_ms 0 are recorded only.
struct MeasuredColumn {
  std::string_view name;
  std::string_view unit;
  double to_ms = 1;
};

inline constexpr MeasuredColumn kLatencyColumn[] = {{"latency", "ms", 1}};

/// Identity of an op and of its table.
struct OpInfo {
  std::string_view id;       // `collect --ops id`, `query id`, docs/ops.md#id
  std::string_view table;    // file stem: <table>.txt, <table>.parquet
  std::string_view op_name;  // value of the op_name column
  std::string_view doc;      // one sentence
  std::string_view sol;      // the speed-of-light expression, in the fields' names
  int revision = 1;          // raised when old rows stop meaning the same thing
  std::span<const MeasuredColumn> measured = kLatencyColumn;
  std::span<const std::string_view> sub_kernels =
      {};                                   // values that a complete collection must all contain ...
  std::string_view sub_kernel_column = {};  // ... in this column
  std::string_view published_table = {};    // stem of the published files that hold the rows; empty: `table`.
                                            // Ops that share one are told apart by op_name
  std::string_view second_table = {};       // another published stem, read after the first
  bool zero_is_measured = false;  // a latency of 0 is a result (a difference cut off at 0, a launch left out)
  std::span<const std::string_view> left_out = {};  // texts of fields whose published rows are not read
};

/// Receives the cases of a plan one by one, so that a plan of millions is never stored as structs.
template <class Op>
using CaseSink = std::function<void(const Op&)>;

class ModelShapes;  // schema/model_shapes.h

/// Whose collector a published aiconfigurator grid is taken from: values and guards differ.
enum class AicFramework { trtllm, vllm, sglang };

template <>
inline constexpr auto kEnumNames<AicFramework> =
    std::array{EnumName<AicFramework>{AicFramework::trtllm, "trtllm"},
               EnumName<AicFramework>{AicFramework::vllm, "vllm"},
               EnumName<AicFramework>{AicFramework::sglang, "sglang"}};

/// The published aiconfigurator grid is defined per framework and GPU generation.
struct AicGrid {
  int sm_version = 90;  // dtypes exist from a generation on (fp8 above 86, fp4 from 100)
  AicFramework framework = AicFramework::trtllm;
};

}  // namespace perfatlas
