#include "app/commands/pace.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/disk.h"
#include "labelprobe/files/json.h"
#include "labelprobe/weights/precision.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFewestTokens = 200;  // fewer say nothing of the pace

std::optional<fs::path> cache_file() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    return fs::path(cache) / "labelprobe" / "pace.json";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return fs::path(home) / ".cache" / "labelprobe" / "pace.json";
  }
  return std::nullopt;
}

std::string key_of(const experiment::PreparedJob& prepared) {
  const model::ModelInfo& model = prepared.model_info;
  return fmt::format("{} on {}, {} {}, {} threads", prepared.job.model.model.string(),
                     prepared.device, weights::quantization_name(model.quantization),
                     weights::dtype_name(model.dtype), prepared.job.model.options.n_threads);
}

// What decides how much readouts compute, as far as options say.
std::string readouts_of(const experiment::PreparedJob& prepared) {
  const experiment::ReadoutSettings& readouts = prepared.job.settings.readouts;
  return fmt::format("{}: {}", fmt::join(readouts.names, " "),
                     prepared.preparation.n_readout_tokens);
}

nlohmann::json load(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return nlohmann::json::object();
  try {
    return files::load_json_object(file, ErrorKind::Data).value();
  } catch (const Error&) {
    return nlohmann::json::object();  // the next run writes it anew
  }
}

}  // namespace

std::optional<Pace> find_pace(const experiment::PreparedJob& prepared) {
  const auto file = cache_file();
  if (!file) return std::nullopt;
  const nlohmann::json paces = load(*file);
  const auto found = paces.find(key_of(prepared));
  if (found == paces.end() || !found->is_object()) return std::nullopt;
  const auto number = [&](const char* name) {
    const auto at = found->find(name);
    return at != found->end() && at->is_number() ? at->get<double>() : 0.0;
  };
  const auto readouts = found->find("readouts");
  const bool is_alike = readouts != found->end() && *readouts == readouts_of(prepared);
  const Pace pace{number("tokens_per_second"), number("generated_per_prompt"),
                  is_alike ? number("readouts_per_prompt") : 0.0};
  return pace.tokens_per_second > 0 ? std::optional(pace) : std::nullopt;
}

double n_prompts_of(const experiment::Preparation& preparation) {
  return static_cast<double>(preparation.prompts.size() + preparation.beginnings.size());
}

std::optional<double> estimate_seconds(const experiment::PreparedJob& prepared) {
  const auto pace = find_pace(prepared);
  if (!pace) return std::nullopt;
  const experiment::Preparation& preparation = prepared.preparation;
  const auto n_prompts = static_cast<double>(preparation.prompts.size());
  const double of_readouts =
      pace->readouts_per_prompt > 0 || preparation.n_readout_tokens == 0
          ? pace->readouts_per_prompt * n_prompts
          : static_cast<double>(preparation.n_readout_tokens) * n_prompts_of(preparation);
  const double n_tokens = static_cast<double>(preparation.token_counts.n_distinct_tokens) +
                          pace->generated_per_prompt * n_prompts + of_readouts;
  return n_tokens / pace->tokens_per_second;
}

void note_pace(const experiment::PreparedJob& prepared,
               const experiment::Outcome& outcome,
               double seconds) {
  const auto file = cache_file();
  const model::Effort& effort = outcome.effort;
  const std::int64_t n_tokens = experiment::n_tokens_of(effort);
  const std::size_t n_prompts = prepared.preparation.prompts.size();
  if (!file || seconds <= 0 || n_tokens < kFewestTokens || n_prompts == 0) return;
  try {
    nlohmann::json paces = load(*file);
    paces[key_of(prepared)] = {
        {"tokens_per_second", static_cast<double>(n_tokens) / seconds},
        {"generated_per_prompt",
         static_cast<double>(effort.n_generated_tokens) / static_cast<double>(n_prompts)},
        {"readouts", readouts_of(prepared)},
        {"readouts_per_prompt",
         static_cast<double>(effort.n_places) / static_cast<double>(n_prompts)}};
    files::Disk disk;
    disk.make_folders(file->parent_path());
    disk.replace(*file, paces.dump(1) + "\n");
  } catch (const Error&) {
    // A full or read-only home: the estimate is done without.
  }
}

}  // namespace labelprobe::app
