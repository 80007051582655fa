// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

class File : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(folder_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string in_folder(const std::string& name) const { return folder_ + "/" + name; }
  size_t files() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++count;
    return count;
  }
  std::string folder_ = testing::TempDir() + "perfatlas_file_XXXXXX";
};

/// Runs `work` in a child whose files may not grow beyond `bytes`; true when it threw Error that names the remedy.
bool throws_under_size_limit(rlim_t bytes, const std::function<void()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      work();
    } catch (const Error& error) {
      ::_exit(std::string(error.what()).find("ulimit -f") != std::string::npos ? 42 : 43);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

TEST_F(File, ReplaceKeepsOldContentUntilCommit) {
  replace_file(in_folder("a"), "old");
  {
    AtomicFile file(in_folder("a"));
    file.write(std::string(300000, 'x'));
    EXPECT_EQ(read_file(in_folder("a")), "old");
  }
  EXPECT_EQ(read_file(in_folder("a")), "old");
  EXPECT_EQ(files(), size_t{1}) << "an abandoned temporary file stays";
  replace_file(in_folder("a"), "new");
  EXPECT_EQ(read_file(in_folder("a")), "new");
}

TEST_F(File, FullFileSystemLeavesTheOldVersionAndNoTemporary) {
  replace_file(in_folder("a"), "old");
  EXPECT_TRUE(
      throws_under_size_limit(1000, [&] { replace_file(in_folder("a"), std::string(1 << 20, 'x')); }));
  EXPECT_EQ(read_file(in_folder("a")), "old");
  EXPECT_EQ(files(), size_t{1});
}

TEST_F(File, AppendUnderASizeLimitIsWholeOrAbsent) {
  EXPECT_TRUE(throws_under_size_limit(1000, [&] {
    AppendFile file(in_folder("log"));
    for (int i = 0; i < 100; ++i) file.append(std::string(63, 'x') + "\n");
  }));
  EXPECT_EQ(read_file(in_folder("log")).size(), size_t{960});  // fifteen whole lines of 64 bytes
  EXPECT_TRUE(AppendFile(in_folder("log")).ends_with_newline());
}

TEST_F(File, AppendingToAFileThatIsNoLongerThereIsNoticed) {
  for (const bool moved : {false, true}) {
    AppendFile file(in_folder("a"));
    file.append("1\n");
    file.sync();
    if (moved)
      std::filesystem::rename(in_folder("a"), in_folder("b"));
    else
      std::filesystem::remove(in_folder("a"));
    file.append("2\n");
    EXPECT_THROW(file.sync(), Error);
    replace_file(in_folder("a"), "another\n");
    EXPECT_THROW(file.sync(), Error);
    std::filesystem::remove(in_folder("a"));
  }
  EXPECT_EQ(read_file(in_folder("b")), "1\n2\n");
}

TEST_F(File, AFolderBehindADanglingLinkIsNamedAsThat) {
  std::filesystem::create_symlink("nowhere", in_folder("link"));
  try {
    make_writable_folder(in_folder("link"));
    FAIL() << "it should have thrown";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("symbolic link to nowhere, which is not there"),
              std::string::npos)
        << error.what();
  }
}

TEST_F(File, TornEndIsSeen) {
  AppendFile file(in_folder("log"));
  EXPECT_TRUE(file.ends_with_newline());
  file.append("half");
  EXPECT_FALSE(file.ends_with_newline());
}

TEST_F(File, ErrorsNamePathAndRemedy) {
  try {
    read_file(in_folder("missing"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(in_folder("missing")), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("check the path"), std::string::npos);
  }
  replace_file(in_folder("file"), "");
  EXPECT_THROW(make_writable_folder(in_folder("file/below")), Error);
}

TEST_F(File, LockIsExclusiveAndNamesItsHolder) {
  const FolderLock lock(folder_);
  try {
    const FolderLock second(folder_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("process " + std::to_string(::getpid())), std::string::npos);
  }
}

TEST_F(File, LockOfADeadProcessIsFree) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const FolderLock lock(folder_);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_NO_THROW(FolderLock{folder_});
}

TEST(TemporaryFolder, IsWritableAndGoesWithItsContent) {
  std::string path;
  {
    const TemporaryFolder folder;
    path = folder.path();
    std::ofstream(path + "/file") << "content";
    EXPECT_EQ(read_file(path + "/file"), "content");
    EXPECT_NE(TemporaryFolder().path(), path);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace perfatlas
