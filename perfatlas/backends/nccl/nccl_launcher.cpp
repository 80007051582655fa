// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/nccl/nccl_launcher.h"

#include <fmt/format.h>

#include <charconv>
#include <thread>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using namespace std::chrono_literals;

}  // namespace

std::string hex_of(const ncclUniqueId& id) {
  std::string text;
  for (const char byte : id.internal) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

ncclUniqueId unique_id_of(std::string_view hex) {
  ncclUniqueId id;
  if (hex.size() != 2 * sizeof id.internal) throw Error("the name of the communicator is cut short");
  for (size_t i = 0; i < sizeof id.internal; ++i) {
    unsigned byte = 0;
    const char* const digits = hex.data() + 2 * i;
    if (std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2)
      throw Error("the name of the communicator is no hexadecimal number");
    id.internal[i] = char(byte);
  }
  return id;
}

void NcclLauncher::start(int ranks, const std::string& socket) {
  ncclUniqueId id;
  nccl_.check(nccl_.api().unique_id(&id), "ncclGetUniqueId");
  const std::string line = hex_of(id);
  for (int rank = 0; rank < ranks; ++rank) {
    std::vector<std::string> command = rank_program_;
    for (const std::string& word :
         {fmt::format("cuda:{}", gpus_[size_t(rank)]), std::to_string(rank), std::to_string(ranks), socket})
      command.push_back(word);
    ranks_.push_back(ChildProcess::spawn({command, "/dev/stderr"}));
    ranks_.back().send_line(line, 5s);  // one that does not read is noticed as ended
  }
}

std::optional<std::string> NcclLauncher::fallen() {
  for (size_t rank = 0; rank < ranks_.size(); ++rank) {
    const auto status = ranks_[rank].try_wait();
    if (status && status->code != 0) return fmt::format("rank {}: {}", rank, status->text());
  }
  return std::nullopt;
}

std::optional<std::string> NcclLauncher::ended() {
  const auto problem = fallen();
  if (!problem) return std::nullopt;
  return fmt::format("{} ranks could not be started ({})", ranks_.size(), *problem);
}

std::string NcclLauncher::wait(std::chrono::milliseconds grace) {
  const auto deadline = std::chrono::steady_clock::now() + grace;
  std::optional<std::string> first;
  const auto running = [&] {
    return std::any_of(ranks_.begin(), ranks_.end(), [](ChildProcess& rank) { return !rank.try_wait(); });
  };
  while (running()) {
    // The others may wait for one that fell until the end of time.
    if (!first) first = fallen();
    if (first || std::chrono::steady_clock::now() > deadline) break;
    std::this_thread::sleep_for(2ms);
  }
  if (!first) first = fallen();
  for (ChildProcess& rank : ranks_) rank.wait(0ms);
  return first.value_or("all ranks have ended");
}

}  // namespace perfatlas
