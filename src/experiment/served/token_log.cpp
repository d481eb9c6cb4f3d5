#include "experiment/served/token_log.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/files/disk.h"
#include "labelprobe/files/yaml.h"
#include "labelprobe/files/yaml_writer.h"

namespace labelprobe::experiment {

namespace {

constexpr const char* kName = "tokens.yml";
constexpr const char* kPrompt = "prompt_tokens";
constexpr const char* kCompletion = "completion_tokens";
constexpr const char* kCost = "cost";
constexpr std::int64_t kWriteEveryMs = 2000;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// What the file has; an object for every experiment.
nlohmann::json load(const std::filesystem::path& file) {
  nlohmann::json root = nlohmann::json::object();
  if (!std::filesystem::exists(file)) return root;
  const files::YamlView view = files::load_yaml(file, ErrorKind::Data);
  if (view.is_null()) return root;
  for (const auto& [experiment, entry] : view.members()) {
    nlohmann::json& counts = root[experiment.text()] = nlohmann::json::object();
    for (const auto& [name, value] : entry.members()) {
      if (const auto integer = value.integer()) {
        counts[name.text()] = *integer;
      } else if (const auto number = value.number()) {
        counts[name.text()] = *number;
      } else {
        value.fail_expected("a number");
      }
    }
  }
  return root;
}

void write_counts(const std::filesystem::path& file,
                  const std::string& key,
                  std::int64_t n_prompt,
                  std::int64_t n_completion,
                  const std::optional<TokenLog::Prices>& prices) {
  // Runs that differ in a seed share the folder and may be at it at the same time.
  const files::FileLock writing(file.parent_path() / ".lock", files::Patience{});
  nlohmann::json root = load(file);
  nlohmann::json& counts = root[key];
  counts[kPrompt] = n_prompt;
  counts[kCompletion] = n_completion;
  if (prices) {
    counts[kCost] = (static_cast<double>(n_prompt) * prices->first +
                     static_cast<double>(n_completion) * prices->second) /
                    1e6;
  }
  std::string text;
  files::append_yaml_entries(&text, root, 0);
  files::Disk().replace(file, text);
}

}  // namespace

TokenLog::TokenLog(std::filesystem::path folder, int experiment_index, std::optional<Prices> prices)
    : file_(std::move(folder) / kName),
      key_(fmt::format("experiment_{}", experiment_index)),
      prices_(prices) {
  const nlohmann::json root = load(file_);
  if (const auto found = root.find(key_); found != root.end()) {
    n_prompt_before_ = found->value(kPrompt, std::int64_t{0});
    n_completion_before_ = found->value(kCompletion, std::int64_t{0});
  }
}

TokenLog::~TokenLog() {
  try {
    if (!is_written_) write();
  } catch (const std::exception&) {
    // The folder is gone, or the disk is full: whoever wrote the records has said so.
  }
}

void TokenLog::note(const model::Effort& effort) {
  is_written_ = is_written_ && effort.n_prompt_tokens == effort_.n_prompt_tokens &&
                effort.n_generated_tokens == effort_.n_generated_tokens;
  effort_ = effort;
  if (!is_written_ && now_ms() - written_ms_ >= kWriteEveryMs) write();
}

void TokenLog::write() {
  is_written_ = true;
  written_ms_ = now_ms();
  write_counts(file_, key_, n_prompt_before_ + effort_.n_prompt_tokens,
               n_completion_before_ + effort_.n_generated_tokens, prices_);
}

void sum_token_logs(const std::filesystem::path& folder,
                    int experiment_index,
                    const std::vector<std::filesystem::path>& shards,
                    std::optional<TokenLog::Prices> prices) {
  std::int64_t n_prompt = 0;
  std::int64_t n_completion = 0;
  bool has_any = false;
  for (const std::filesystem::path& shard : shards) {
    const nlohmann::json root = load(shard / kName);
    for (const auto& [key, counts] : root.items()) {
      has_any = true;
      n_prompt += counts.value(kPrompt, std::int64_t{0});
      n_completion += counts.value(kCompletion, std::int64_t{0});
    }
  }
  if (!has_any) return;
  write_counts(folder / kName, fmt::format("experiment_{}", experiment_index), n_prompt,
               n_completion, prices);
}

}  // namespace labelprobe::experiment
