#include "app/commands/lines_output.h"

#include <charconv>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/text_file.h"

namespace labelprobe::app {

LinesOutput::LinesOutput(const std::filesystem::path& path,
                         const std::string& task,
                         std::size_t n_lines)
    : path_(path), output_(path), lines_(n_lines) {
  std::error_code error;
  const bool is_file =
      !output_.is_standard_output() &&
      (!std::filesystem::exists(path, error) || std::filesystem::is_regular_file(path, error));
  if (!is_file) return;
  begun_path_ = path;
  begun_path_ += ".begun";
  take_over(task);
  begun_.open(begun_path_, std::ios::binary | std::ios::trunc);
  begun_ << task << '\n';
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (lines_[i]) begun_ << i << '\t' << *lines_[i] << '\n';
  }
  if (!begun_.flush()) throw ConfigError("cannot write " + begun_path_.string());
}

// Lines "index<tab>line" of the same task; the last one may be cut off.
void LinesOutput::take_over(const std::string& task) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(begun_path_, error)) return;
  const files::MappedFile file(begun_path_);
  std::string_view text = file.text();
  const auto next_line = [&text]() -> std::optional<std::string_view> {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
  };
  if (next_line() != std::optional<std::string_view>(task)) return;
  while (const auto line = next_line()) {
    std::size_t i = 0;
    const auto [end, failure] = std::from_chars(line->data(), line->data() + line->size(), i);
    const auto n = static_cast<std::size_t>(end - line->data());
    if (failure != std::errc() || i >= lines_.size() || lines_[i] || n >= line->size() ||
        (*line)[n] != '\t' || !nlohmann::json::accept(line->substr(n + 1))) {
      throw DataError(
          fmt::format("{}: expected lines of an interrupted command, found {}; remove it "
                      "to begin anew",
                      begun_path_.string(), files::shown(*line)));
    }
    lines_[i] = line->substr(n + 1);
    ++n_done_;
  }
}

void LinesOutput::add(std::size_t i, std::string line) {
  LABELPROBE_CHECK(!lines_[i]);
  if (begun_.is_open()) {
    begun_ << i << '\t' << line << '\n';
    if (!begun_.flush()) throw ConfigError("cannot write " + begun_path_.string());
  }
  lines_[i] = std::move(line);
  ++n_done_;
  if (!output_.is_standard_output()) return;
  for (; n_written_ < lines_.size() && lines_[n_written_]; ++n_written_) {
    output_.stream() << *lines_[n_written_] << '\n';
  }
  output_.stream().flush();
}

std::string LinesOutput::describe_kept() const {
  const std::string what = fmt::format("{} of {} lines are done", n_done_, lines_.size());
  return begun_path_.empty() ? what : what + " and kept; the same command goes on from there";
}

void LinesOutput::finish() {
  for (; n_written_ < lines_.size(); ++n_written_) {
    output_.stream() << lines_[n_written_].value() << '\n';
  }
  output_.finish();
  if (begun_path_.empty()) return;
  begun_.close();
  std::error_code error;
  std::filesystem::remove(begun_path_, error);
}

}  // namespace labelprobe::app
