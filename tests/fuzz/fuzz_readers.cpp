// SPDX-License-Identifier: Apache-2.0
// Fuzzing without a fuzzer's help: mutations of a committed corpus, the same ones for the same seed.
//   fuzz_readers TARGET CORPUS ROUNDS [SEED]
// An input that ends the process lies in fuzz_<target>.input in the working folder; `fuzz_readers TARGET FILE 0` runs
// it. Built with -fsanitize=fuzzer (PERFATLAS_LIBFUZZER=ON, clang) the same targets are libFuzzer's; FUZZ_TARGET names
// one.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "perfatlas/base/file.h"
#include "perfatlas/base/text.h"
#include "targets.h"

namespace perfatlas {
namespace {

const FuzzTarget* find_target(std::string_view name) {
  for (const FuzzTarget& target : fuzz_targets())
    if (target.name == name) return &target;
  return nullptr;
}

class Mutator {
 public:
  Mutator(const std::vector<std::string>& corpus, uint64_t seed) : corpus_(corpus), random_(seed) {}

  std::string next() {
    std::string bytes = corpus_[below(corpus_.size())];
    for (size_t left = 1 + below(6); left > 0; --left) mutate(bytes);
    return bytes;
  }

 private:
  size_t below(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random_); }
  size_t position(const std::string& bytes) { return bytes.empty() ? 0 : below(bytes.size()); }

  void mutate(std::string& bytes) {
    const size_t at = position(bytes), length = 1 + below(16);
    switch (below(7)) {
      case 0:
        if (!bytes.empty()) bytes[at] = char(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        if (!bytes.empty()) bytes[at] = char(below(256));
        break;
      case 2:
        bytes.erase(at, length);
        break;
      case 3:
        bytes.insert(at, bytes.substr(position(bytes), length));
        break;
      case 4: {
        static constexpr std::string_view kWords[] = {
            "\0", "\xff\xff\xff\xff",    "-1", "1e999", "nan", ",", "\"", "\n", "{", "[", "&a", "*a", ": ",
            "- ", "99999999999999999999"};
        bytes.insert(at, kWords[below(std::size(kWords))]);
        break;
      }
      case 5:
        bytes.resize(at);
        break;
      default: {
        const std::string& other = corpus_[below(corpus_.size())];
        bytes = bytes.substr(0, at) + other.substr(position(other));
      }
    }
  }

  const std::vector<std::string>& corpus_;
  std::mt19937_64 random_;
};

std::vector<std::string> read_corpus(const std::string& path) {
  std::vector<std::string> paths;
  if (std::filesystem::is_directory(path))
    for (const auto& entry : std::filesystem::directory_iterator(path))
      paths.push_back(entry.path().string());
  else
    paths.push_back(path);
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> corpus;
  for (const std::string& file : paths) corpus.push_back(read_file(file));
  return corpus;
}

int run(const FuzzTarget& target, const std::string& corpus_path, int64_t rounds, uint64_t seed) {
  const std::vector<std::string> corpus = read_corpus(corpus_path);
  for (const std::string& bytes : corpus) target.run(bytes);
  Mutator mutator(corpus, seed);
  const std::string kept = fmt::format("fuzz_{}.input", target.name);
  for (int64_t round = 0; round < rounds; ++round) {
    const std::string bytes = mutator.next();
    std::ofstream(kept, std::ios::binary) << bytes;
    target.run(bytes);
  }
  std::filesystem::remove(kept);
  fmt::print("{}: {} inputs and {} mutations of them\n", target.name, corpus.size(), rounds);
  return 0;
}

}  // namespace
}  // namespace perfatlas

#ifdef PERFATLAS_LIBFUZZER
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const char* const name = std::getenv("FUZZ_TARGET");
  static const perfatlas::FuzzTarget* const target = perfatlas::find_target(name == nullptr ? "yaml" : name);
  if (target != nullptr) target->run(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
#else
int main(int argc, char** argv) {
  using namespace perfatlas;
  const FuzzTarget* const target = argc > 3 ? find_target(argv[1]) : nullptr;
  const auto rounds = argc > 3 ? parse_integer(argv[3]) : std::nullopt;
  const auto seed = argc > 4 ? parse_integer(argv[4]) : std::optional<int64_t>(1);
  if (target == nullptr || !rounds || !seed)
    return fmt::print(stderr, "usage: fuzz_readers csv|parquet|yaml CORPUS ROUNDS [SEED]\n"), 2;
  return run(*target, argv[2], *rounds, uint64_t(*seed));
}
#endif
