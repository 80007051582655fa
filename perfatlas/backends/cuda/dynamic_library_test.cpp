// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/dynamic_library.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace perfatlas {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A folder that is removed again.
class Folder {
 public:
  Folder() {
    std::string name = fs::temp_directory_path() / "perfatlas_XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path path_;

  /// A copy of the fake NVML under another name and place.
  void put(const fs::path& relative) const {
    fs::create_directories((path_ / relative).parent_path());
    fs::copy_file(fs::path(PERFATLAS_FAKE_LIBRARIES) / "libnvidia-ml.so.1", path_ / relative);
  }
};

EnvironmentLookup environment(std::map<std::string, std::string> variables) {
  return [variables](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

LibraryRequest request() {
  return {.name = "Fake",
          .files = {"libperfatlas_fake.so.2", "libperfatlas_fake.so.1"},
          .wheel_folders = {"cu13/lib", "fake/lib"},
          .more_folders = {}};
}

DynamicLibrary open_with(std::map<std::string, std::string> variables) {
  return {request(), library_search(environment(std::move(variables)))};
}

TEST(DynamicLibrary, SaysWhatItLookedForAndWhere) {
  const DynamicLibrary library = open_with({{"PERFATLAS_CUDA_PATH", "/nowhere"}});
  EXPECT_FALSE(library.loaded());
  EXPECT_EQ(library.path(), "");
  EXPECT_THAT(library.reason(), HasSubstr("libperfatlas_fake.so.2 or libperfatlas_fake.so.1"));
  EXPECT_THAT(library.reason(), HasSubstr("/nowhere, the dynamic linker's path"));
  EXPECT_THAT(library.reason(), HasSubstr("PERFATLAS_CUDA_PATH"));
}

TEST(DynamicLibrary, FindsALibraryInEveryKindOfPlace) {
  struct Layout {
    const char* file;
    const char* variable;
    const char* value;  // relative to the folder
  };
  for (const Layout& layout : {
           Layout{"libperfatlas_fake.so.1", "PERFATLAS_CUDA_PATH", ""},
           Layout{"lib64/libperfatlas_fake.so.1", "PERFATLAS_CUDA_PATH", ""},
           Layout{"lib/libperfatlas_fake.so.1", "CUDA_HOME", ""},
           Layout{"lib64/libperfatlas_fake.so.2", "CUDA_PATH", ""},
           Layout{"lib/python3.12/site-packages/nvidia/fake/lib/libperfatlas_fake.so.1", "VIRTUAL_ENV", ""},
           Layout{"lib/python3.12/site-packages/nvidia/cu13/lib/libperfatlas_fake.so.2",
                  "PERFATLAS_CUDA_PATH", ""},
           Layout{"lib/python3.12/site-packages/nvidia/fake/lib/libperfatlas_fake.so.1",
                  "PERFATLAS_CUDA_PATH", "lib/python3.12/site-packages/"},
           Layout{".local/lib/python3.12/site-packages/nvidia/fake/lib/libperfatlas_fake.so.1", "HOME", ""},
       }) {
    const Folder folder;
    folder.put(layout.file);
    const DynamicLibrary library = open_with({{layout.variable, folder.path_ / layout.value}});
    EXPECT_TRUE(library.loaded()) << layout.variable << ": " << library.reason();
    EXPECT_EQ(library.path(), (folder.path_ / layout.file).string());
    EXPECT_EQ(library.reason(), "");
  }
}

TEST(DynamicLibrary, FindsThePythonOfThePath) {
  const Folder folder;
  folder.put("lib/python3.12/site-packages/nvidia/fake/lib/libperfatlas_fake.so.1");
  fs::create_directories(folder.path_ / "bin");
  std::ofstream(folder.path_ / "bin/python3") << "#!/bin/false\n";
  EXPECT_TRUE(open_with({{"PATH", "/nowhere:" + (folder.path_ / "bin").string()}}).loaded());
}

TEST(DynamicLibrary, TakesTheNamedPlaceFirstAndThereTheBestVersion) {
  const Folder named, other;
  named.put("libperfatlas_fake.so.1");
  named.put("libperfatlas_fake.so.2");
  other.put("lib/libperfatlas_fake.so.2");
  const DynamicLibrary library =
      open_with({{"CUDA_HOME", other.path_}, {"PERFATLAS_CUDA_PATH", "/nowhere:" + named.path_.string()}});
  EXPECT_EQ(library.path(), (named.path_ / "libperfatlas_fake.so.2").string());
}

TEST(DynamicLibrary, GoesOnAfterABrokenFileAndNamesItWhenNothingElseLoads) {
  const Folder folder;
  std::ofstream(folder.path_ / "libperfatlas_fake.so.2") << "no library";
  const DynamicLibrary broken = open_with({{"PERFATLAS_CUDA_PATH", folder.path_}});
  EXPECT_FALSE(broken.loaded());
  EXPECT_THAT(broken.reason(), HasSubstr("could not be loaded"));
  EXPECT_THAT(broken.reason(), HasSubstr((folder.path_ / "libperfatlas_fake.so.2").string()));
  folder.put("libperfatlas_fake.so.1");
  EXPECT_TRUE(open_with({{"PERFATLAS_CUDA_PATH", folder.path_}}).loaded());
}

TEST(DynamicLibrary, AMissingFunctionIsAReason) {
  const Folder folder;
  folder.put("libperfatlas_fake.so.1");
  DynamicLibrary library = open_with({{"PERFATLAS_CUDA_PATH", folder.path_}});
  int (*const there)() = library.require("nvmlShutdown");
  int (*const by_older_name)() = library.accept("perfatlas_no_such_function", "nvmlShutdown");
  EXPECT_NE(there, nullptr);
  EXPECT_EQ(by_older_name, there);
  int (*const optional)() = library.accept("perfatlas_no_such_function");
  EXPECT_EQ(optional, nullptr);
  EXPECT_EQ(library.reason(), "");
  int (*const absent)() = library.require("perfatlas_no_such_function");
  EXPECT_EQ(absent, nullptr);
  EXPECT_THAT(library.reason(), HasSubstr("no function perfatlas_no_such_function"));
}

}  // namespace
}  // namespace perfatlas
