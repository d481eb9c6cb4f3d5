#include "app/commands/dry_run.h"

#include <algorithm>
#include <iomanip>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/run.h"
#include "labelprobe/model/open.h"

#include "app/options/option.h"

namespace labelprobe::app {

namespace {

double mebibytes(double bytes) {
  return bytes / (1024.0 * 1024.0);
}

void describe_memory(std::ostream& out,
                     const experiment::PreparedJob& prepared,
                     double n_cached,
                     const model::Profile* profile) {
  const model::ModelInfo& model = prepared.model_info;
  const auto weight_bytes = static_cast<double>(model.weight_bytes);
  out << std::fixed << std::setprecision(0) << "\nmodel " << model.architecture << ", "
      << static_cast<double>(model.n_parameters) / 1e6 << " M parameters, "
      << experiment::describe_numerics(model.quantization, model.dtype) << "\nmemory: weights "
      << mebibytes(weight_bytes) << " MiB, keys and values at most "
      << mebibytes(n_cached * static_cast<double>(model.cache_bytes_per_token)) << " MiB; ";
  double free_bytes = 0;
  try {
    free_bytes = static_cast<double>(model::free_device_bytes(prepared.device));
  } catch (const ConfigError&) {
    // A dry run beside the GPU machine: said before, when the device was looked for.
  }
  if (free_bytes > 0) {
    out << mebibytes(free_bytes) << " MiB free on " << prepared.device << ", where the weights "
        << (weight_bytes < free_bytes ? "fit" : "do not fit") << '\n';
  } else {
    out << "free memory of " << prepared.device << " not known\n";
  }
  const std::filesystem::path& packed_copy = prepared.job.model.packed_copy;
  if (!packed_copy.empty()) {
    out << "the weights are written to " << packed_copy.string() << " first, and run from there\n";
  }
  if (profile) {
    out << "a trace of the model's work goes to " << profile->trace().string() << '\n';
  }
}

}  // namespace

void describe_dry_run(std::ostream& out,
                      const experiment::PreparedJob& prepared,
                      const model::Profile* profile) {
  const experiment::Preparation& preparation = prepared.preparation;
  const int max_new_tokens = prepared.job.settings.max_new_tokens;
  out << "options\n";
  for (const record::Param& param : prepared.job.request.params) {
    out << "  " << std::left << std::setw(30) << param.name << describe(param.value) << '\n';
  }
  const auto& queries = preparation.questions.queries;
  out << "\nfirst prompt (" << queries.front().item.id() << ")\n"
      << queries.front().text << "\n[end of prompt]\n\n";

  const experiment::TokenCounts& counts = preparation.token_counts;
  out << "prompts " << queries.size() << ", tokens " << counts.n_prompt_tokens << ", distinct "
      << counts.n_distinct_tokens << " (what sharing prefixes leaves to compute)\n"
      << "shared prefix " << counts.n_shared_prefix << " tokens, longest prompt "
      << counts.longest_prompt << " tokens, context " << prepared.model_info.max_context << "\n"
      << "new tokens at most " << max_new_tokens << " per prompt, "
      << max_new_tokens * static_cast<std::int64_t>(queries.size()) << " in all\n"
      << experiment::generation_in_force(prepared.model_info, prepared.job.settings, preparation)
             .describe()
      << "\nstop string " << nlohmann::json(preparation.answers.stop).dump() << "\n\n"
      << preparation.answers.description;
  for (const std::string& warning : preparation.warnings) {
    out << "warning: " << warning << '\n';
  }

  const double n_cached = static_cast<double>(
      counts.n_distinct_tokens + static_cast<std::int64_t>(queries.size()) * max_new_tokens);
  describe_memory(out, prepared, n_cached, profile);
  const record::RunPreview preview = record::preview(prepared.job.request);
  out << "log folder " << preview.folder.string() << ", experiment_" << preview.experiment_index;
  if (preview.is_finished) {
    out << ", finished before: there is nothing to run";
  }
  if (preview.n_finished > 0) {
    out << ", going on after " << preview.n_finished << " finished items";
  }
  out << "\nnothing was run\n";
}

}  // namespace labelprobe::app
