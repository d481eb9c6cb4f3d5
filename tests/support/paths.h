// Where tests find their files.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace labelprobe::support {

// tests/fixtures/<relative>, always there.
inline std::filesystem::path fixture(const std::string& relative) {
  return std::filesystem::path(LABELPROBE_SOURCE_DIR) / "tests" / "fixtures" / relative;
}

// Real data beside the checkout, present on the authors' machines only; a test that needs it skips
// aloud.
inline std::filesystem::path shared(const std::string& relative) {
  return std::filesystem::path(LABELPROBE_SOURCE_DIR) / ".." / "shared" / relative;
}

// The small real model that scripts/get_model.sh fetches; empty path if it has not been fetched.
inline std::filesystem::path smollm2_gguf() {
  const char* given = std::getenv("LABELPROBE_SMOLLM2");
  const std::filesystem::path path = given
                                         ? std::filesystem::path(given)
                                         : std::filesystem::path(LABELPROBE_SOURCE_DIR) / "build" /
                                               "models" / "SmolLM2-135M-Instruct.Q4_1.gguf";
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

// A folder of the sentence encoder all-MiniLM-L6-v2; empty path if there is none.
inline std::filesystem::path minilm() {
  const char* given = std::getenv("LABELPROBE_MINILM");
  const std::filesystem::path path = given ? std::filesystem::path(given)
                                           : std::filesystem::path(LABELPROBE_SOURCE_DIR) /
                                                 "build" / "models" / "all-MiniLM-L6-v2";
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

// A fresh empty folder below the system's temporary folder, removed with its content at the end of
// the scope.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "labelprobe-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace labelprobe::support
