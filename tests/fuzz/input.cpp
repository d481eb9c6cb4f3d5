#include "fuzz/input.h"

#include <cstdlib>
#include <set>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace labelprobe::fuzz {

namespace {

namespace fs = std::filesystem;

// In memory where the system has such a place: a call takes microseconds.
class InputFolder {
 public:
  InputFolder() {
    std::error_code error;
    const fs::path root =
        fs::is_directory("/dev/shm", error) ? fs::path("/dev/shm") : fs::temp_directory_path();
    std::string name = (root / "labelprobe-fuzz-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~InputFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  InputFolder(const InputFolder&) = delete;
  InputFolder& operator=(const InputFolder&) = delete;

  const fs::path& path() const { return path_; }

  void write(const std::string& name, std::string_view bytes) {
    if (const auto slash = name.find('/');
        slash != std::string::npos && folders_.insert(name.substr(0, slash)).second) {
      std::error_code error;
      fs::create_directory(path_ / name.substr(0, slash), error);
    }
    const int fd = ::open((path_ / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ::write(fd, bytes.data(), bytes.size()) != static_cast<::ssize_t>(bytes.size())) {
      std::abort();
    }
    ::close(fd);
  }

  void keep_only(const std::set<std::string>& names) {
    for (const std::string& name : names_) {
      if (!names.contains(name)) ::unlink((path_ / name).c_str());
    }
    names_ = names;
  }

 private:
  fs::path path_;
  std::set<std::string> names_;
  std::set<std::string> folders_;
};

InputFolder& input_folder() {
  static InputFolder folder;
  return folder;
}

}  // namespace

std::vector<std::optional<std::string_view>> parts_of(std::string_view input, std::size_t n) {
  std::vector<std::optional<std::string_view>> parts(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t end = i + 1 < n ? input.find(kPartEnd) : std::string_view::npos;
    parts[i] = input.substr(0, end);
    if (end == std::string_view::npos) break;
    input.remove_prefix(end + 1);
  }
  return parts;
}

const fs::path& folder_with(std::initializer_list<NamedFile> files) {
  std::set<std::string> names;
  for (const auto& [name, content] : files) {
    if (content) names.insert(name);
  }
  input_folder().keep_only(names);
  for (const auto& [name, content] : files) {
    if (content) input_folder().write(name, *content);
  }
  return input_folder().path();
}

fs::path file_with(const char* name, std::string_view input) {
  return folder_with({{name, input}}) / name;
}

}  // namespace labelprobe::fuzz
