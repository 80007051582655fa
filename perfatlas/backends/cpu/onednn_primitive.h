// SPDX-License-Identifier: Apache-2.0
// A oneDNN primitive bound to raw pointers, with as little as possible between a launch and the library.
#pragma once

#include <vector>

#include "perfatlas/backends/cpu/onednn_context.h"

namespace perfatlas {

/// Allocates nothing when executed: memory objects are made once and pointed at the buffers of each launch.
class OnednnPrimitive {
 public:
  struct Argument {
    int index;  // DNNL_ARG_SRC, ...
    dnnl::memory::desc desc;
  };

  /// `context` outlives the primitive. A scratchpad argument is added when `description` asks for a scratchpad of
  /// the user; its pointer then follows those of `arguments`.
  OnednnPrimitive(const dnnl::primitive_desc_base& description, std::vector<Argument> arguments,
                  const OnednnContext& context);

  size_t scratchpad_bytes() const { return scratchpad_bytes_; }

  /// Runs once and returns when it is done. Throws Error when oneDNN refuses.
  /// REQUIRES: one pointer per argument, in order; `scratchpad` holds scratchpad_bytes().
  void execute(void* const* pointers, void* scratchpad);

  /// The same for callers inside a parallel region, which no exception may leave: dnnl_success or the refusal, which
  /// throw_onednn_refusal() puts into words.
  dnnl_status_t try_execute(void* const* pointers, void* scratchpad) noexcept;

 private:
  const OnednnContext& context_;
  dnnl::primitive primitive_;
  std::vector<dnnl::memory> memories_;
  std::vector<dnnl_exec_arg_t> arguments_;
  size_t declared_;  // arguments without the scratchpad
  size_t scratchpad_bytes_;
};

/// Throws Error unless `status` is dnnl_success.
void throw_onednn_refusal(dnnl_status_t status);

/// Rewrites `from` into the layout of `to`. Throws Error when oneDNN cannot.
void onednn_reorder(const OnednnContext& context, const dnnl::memory::desc& from_desc, const void* from,
                    const dnnl::memory::desc& to_desc, void* to);

}  // namespace perfatlas
