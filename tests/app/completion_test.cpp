// Completion and manual page, made by the program and read by the shells and by groff.
#include <array>
#include <cstdio>
#include <cstdlib>

#include "support/catch.h"
#include "support/files.h"
#include "support/program.h"

namespace labelprobe {
namespace {

using support::run_program;
using support::TempFolder;
using support::write_file;

bool has(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

// What a shell command writes to standard output and error.
std::string output_of(const std::string& command) {
  std::string text;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> part{};
  while (const std::size_t n = std::fread(part.data(), 1, part.size(), pipe)) {
    text.append(part.data(), n);
  }
  ::pclose(pipe);
  return text;
}

// Bash with the script read, asked for the last of some words.
class Bash {
 public:
  Bash() { write_file(script_, run_program({"completion", "bash"}).out); }

  std::string complete(const std::string& words) const {
    return output_of("bash -c 'source " + script_.string() + "; COMP_WORDS=(" + words +
                     "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _labelprobe; echo "
                     "\"${COMPREPLY[@]}\"'");
  }
  const std::filesystem::path& script() const { return script_; }

 private:
  TempFolder folder_;
  std::filesystem::path script_ = folder_.path() / "labelprobe.bash";
};

TEST_CASE("Bash completes commands, flags and values", "[e2e]") {
  const Bash bash;
  CHECK(bash.complete("labelprobe ma") == "make-model man\n");
  CHECK(bash.complete("labelprobe run Go") == "GoEmotions\n");
  CHECK(bash.complete("labelprobe run GoEmotions --annotation") == "--annotation-mode\n");
  CHECK(bash.complete("labelprobe run GoEmotions --annotation-mode an") == "annotator\n");
  CHECK(bash.complete("labelprobe run GoEmotions --annotation-mode = b") == "both\n");
  CHECK(bash.complete("labelprobe run T --shot 0 --sampling-strategy uniform multi") ==
        "multilabel\n");
  CHECK(bash.complete("labelprobe run T --config configs/example/conf") ==
        "configs/example/config.yaml\n");
  CHECK(bash.complete("labelprobe compare a configs/READ") == "configs/README.md\n");
  CHECK(bash.complete("labelprobe ls option") == "options\n");
  CHECK(bash.complete("labelprobe run T --accel") == "\n");  // for compatibility only
}

TEST_CASE("The shells read their scripts without complaint", "[e2e]") {
  CHECK(output_of("bash -n " + Bash().script().string()).empty());
  if (!has("zsh")) SKIP_ALOUD("zsh is not installed");
  const TempFolder folder;
  const std::string script = (folder.path() / "_labelprobe").string();
  write_file(script, run_program({"completion", "zsh"}).out);
  CHECK(output_of("zsh -n " + script).empty());
}

TEST_CASE("The manual page is roff that groff knows", "[e2e]") {
  const std::string page = run_program({"man"}).out;
  CHECK_THAT(page, ContainsSubstring(".SS run TASK") && ContainsSubstring("\\-\\-no\\-drafts"));
  CHECK_THAT(page, !ContainsSubstring("accelerate"));
  if (!has("groff")) SKIP_ALOUD("groff is not installed");
  const TempFolder folder;
  const std::string file = (folder.path() / "labelprobe.1").string();
  write_file(file, page);
  CHECK(output_of("groff -man -Tutf8 -ww -z " + file).empty());
}

}  // namespace
}  // namespace labelprobe
