#include "support/paths.h"

#include <cstdlib>
#include <stdexcept>

namespace labelprobe::support {
namespace {

// A model in build/models or where an environment variable says.
std::filesystem::path model(const char* variable, const std::string& name) {
  const char* given = std::getenv(variable);
  const std::filesystem::path path =
      given ? std::filesystem::path(given) : source_folder() / "build" / "models" / name;
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

}  // namespace

std::filesystem::path source_folder() {
  return LABELPROBE_SOURCE_DIR;
}

std::filesystem::path build_folder() {
  return LABELPROBE_BINARY_DIR;
}

std::filesystem::path fixture(const std::string& relative) {
  return source_folder() / "tests" / "fixtures" / relative;
}

std::filesystem::path shared(const std::string& relative) {
  return source_folder() / ".." / "shared" / relative;
}

std::filesystem::path smollm2_gguf() {
  return model("LABELPROBE_SMOLLM2", "SmolLM2-135M-Instruct.Q4_1.gguf");
}

std::filesystem::path minilm() {
  return model("LABELPROBE_MINILM", "all-MiniLM-L6-v2");
}

TempFolder::TempFolder() {
  std::string pattern =
      (std::filesystem::temp_directory_path() / "labelprobe-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder " + pattern);
  path_ = pattern;
}

TempFolder::~TempFolder() {
  std::filesystem::remove_all(path_);
}

}  // namespace labelprobe::support
