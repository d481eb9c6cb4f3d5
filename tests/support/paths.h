// Where tests find their files.
#pragma once

#include <filesystem>
#include <string>

namespace labelprobe::support {

// The repository.
std::filesystem::path source_folder();

// Where it was built.
std::filesystem::path build_folder();

// tests/fixtures/<relative>, always there.
std::filesystem::path fixture(const std::string& relative);

// Real data beside the checkout, present on the authors' machines only; a test that needs it skips
// aloud.
std::filesystem::path shared(const std::string& relative);

// The small real model that scripts/get_model.sh fetches; empty path if it has not been fetched.
std::filesystem::path smollm2_gguf();

// A folder of the sentence encoder all-MiniLM-L6-v2; empty path if there is none.
std::filesystem::path minilm();

// A fresh empty folder below the system's temporary folder, removed with its content at the end of
// the scope.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace labelprobe::support
