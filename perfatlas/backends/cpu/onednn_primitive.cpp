// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cpu/onednn_primitive.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"

namespace perfatlas {

OnednnPrimitive::OnednnPrimitive(const dnnl::primitive_desc_base& description,
                                 std::vector<Argument> arguments, const OnednnContext& context)
    : context_(context),
      primitive_(description.get()),
      declared_(arguments.size()),
      scratchpad_bytes_(description.scratchpad_desc().get_size()) {
  if (scratchpad_bytes_ > 0) arguments.push_back({DNNL_ARG_SCRATCHPAD, description.scratchpad_desc()});
  for (const Argument& argument : arguments) {
    memories_.push_back(dnnl::memory(argument.desc, context.engine, DNNL_MEMORY_NONE));
    arguments_.push_back({argument.index, memories_.back().get()});
  }
}

void OnednnPrimitive::execute(void* const* pointers, void* scratchpad) {
  throw_onednn_refusal(try_execute(pointers, scratchpad));
}

dnnl_status_t OnednnPrimitive::try_execute(void* const* pointers, void* scratchpad) noexcept {
  const auto point = [](const dnnl_exec_arg_t& argument, void* at) {
    return dnnl_memory_set_data_handle(argument.memory, at);
  };
  dnnl_status_t status = dnnl_success;
  for (size_t i = 0; i < declared_ && status == dnnl_success; ++i) status = point(arguments_[i], pointers[i]);
  if (scratchpad_bytes_ > 0 && status == dnnl_success) status = point(arguments_[declared_], scratchpad);
  if (status != dnnl_success) return status;
  return dnnl_primitive_execute(primitive_.get(), context_.stream.get(), int(arguments_.size()),
                                arguments_.data());
}

void throw_onednn_refusal(dnnl_status_t status) {
  if (status != dnnl_success)
    throw Error(
        fmt::format("oneDNN {} refused to run a primitive (status {}); run the case with ONEDNN_VERBOSE=1",
                    onednn_version(), int(status)));
}

void onednn_reorder(const OnednnContext& context, const dnnl::memory::desc& from_desc, const void* from,
                    const dnnl::memory::desc& to_desc, void* to) {
  dnnl::memory source(from_desc, context.engine, const_cast<void*>(from));
  dnnl::memory target(to_desc, context.engine, to);
  dnnl::stream stream = context.stream;
  try {
    dnnl::reorder(source, target).execute(stream, source, target);
    stream.wait();
  } catch (const dnnl::error& error) {
    throw Error(fmt::format("oneDNN {} cannot repack an operand: {}", onednn_version(), error.what()));
  }
}

}  // namespace perfatlas
