// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/worker/remote_operands.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "perfatlas/backends/operand_fill.h"
#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

bool steers_the_kernel(const Operand& operand) {
  return operand.fill != Fill::none && (operand.dtype == DType::int32 || operand.fill == Fill::custom);
}

[[noreturn]] void fail(const OfferedOperand& operand, std::string_view what) {
  throw Error(
      fmt::format("operand {}: {} {}; is the temporary folder full?", operand.name, operand.content, what));
}

}  // namespace

OperandOffer describe_operands(const Case& what) {
  OperandOffer offer;
  for (const Operand& operand : what.op->operands(what.values))
    offer.operands.push_back(
        {operand.name, operand.role, operand.dtype, operand.shape, operand.fill, operand.written, {}});
  offer.streamed_bytes = what.op->work(what.values).streamed_bytes();
  return offer;
}

const OperandOffer& RemoteOperands::for_sampling(const Case& what, uint64_t seed) {
  if (sampled_ == what && sampled_seed_ == seed) return sampling_;
  sampled_.reset();
  sampling_ = describe_operands(what);
  const Operands operands = what.op->operands(what.values);
  for (size_t i = 0; i < operands.size(); ++i) {
    if (!steers_the_kernel(operands[i])) continue;
    sampling_.operands[i].content = file_of(i);
    write(sampling_.operands[i], operand_bytes_of(make_host_operand(operands[i], seed)));
  }
  sampled_ = what;
  sampled_seed_ = seed;
  return sampling_;
}

OperandOffer RemoteOperands::for_launch(const Case& what) const {
  OperandOffer offer = describe_operands(what);
  for (size_t i = 0; i < offer.operands.size(); ++i) offer.operands[i].content = file_of(i);
  return offer;
}

void RemoteOperands::write(const OfferedOperand& operand, std::span<const std::byte> content) {
  std::ofstream file(operand.content, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(content.data()), std::streamsize(content.size()));
  if (!file.flush()) fail(operand, "cannot be written");
}

void RemoteOperands::read(const OfferedOperand& operand, std::span<std::byte> content) {
  std::error_code error;
  const auto size = std::filesystem::file_size(operand.content, error);
  std::ifstream file(operand.content, std::ios::binary);
  if (error || !file) fail(operand, "cannot be read");
  if (size != content.size())
    fail(operand, fmt::format("has {} bytes after the launch instead of {}", size, content.size()));
  if (!file.read(reinterpret_cast<char*>(content.data()), std::streamsize(content.size())))
    fail(operand, "cannot be read");
}

std::string RemoteOperands::file_of(size_t operand) const {
  return fmt::format("{}/operand_{}.bin", folder_.path(), operand);
}

}  // namespace perfatlas
