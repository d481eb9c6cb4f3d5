#include "app/commands/dry_run.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/run.h"
#include "labelprobe/experiment/shards.h"
#include "labelprobe/files/text_table.h"
#include "labelprobe/model/open.h"
#include "labelprobe/model/together.h"

#include "app/commands/pace.h"
#include "app/commands/plan_report.h"
#include "app/options/run_options.h"
#include "app/terminal/progress.h"
#include "app/terminal/visible.h"

namespace labelprobe::app {

namespace {

double mebibytes(double bytes) {
  return bytes / (1024.0 * 1024.0);
}

// Where the weights would go.
std::string describe_free_memory(const experiment::PreparedJob& prepared) {
  if (model::is_card(prepared.job.model.options.device)) return "all of it below";
  double free_bytes = 0;
  try {
    free_bytes = static_cast<double>(model::free_device_bytes(prepared.device));
  } catch (const ConfigError&) {
    // A dry run beside the GPU machine: said before, when the device was looked for.
  }
  if (free_bytes == 0) return fmt::format("free memory of {} not known", prepared.device);
  const auto weight_bytes = static_cast<double>(prepared.model_info.weight_bytes);
  return fmt::format("{:.0f} MiB free on {}, where the weights {}", mebibytes(free_bytes),
                     prepared.device, weight_bytes < free_bytes ? "fit" : "do not fit");
}

void describe_memory(std::ostream& out,
                     const experiment::PreparedJob& prepared,
                     double n_cached,
                     const model::Profile* profile) {
  const model::ModelInfo& model = prepared.model_info;
  const auto weight_bytes = static_cast<double>(model.weight_bytes);
  out << fmt::format(
      "\nmodel {}, {:.0f} M parameters, {}\nmemory: weights {:.0f} MiB, keys and values at most "
      "{:.0f} MiB; ",
      model.architecture, static_cast<double>(model.n_parameters) / 1e6,
      experiment::describe_numerics(model.quantization, model.dtype), mebibytes(weight_bytes),
      mebibytes(n_cached * static_cast<double>(model.cache_bytes_per_token)));
  out << describe_free_memory(prepared) << '\n';
  describe_shares(out, prepared, model::n_named_processes());
  const std::filesystem::path& packed_copy = prepared.job.model.packed_copy;
  if (!packed_copy.empty()) {
    out << "the weights are written to " << packed_copy.string() << " first, and run from there\n";
  }
  if (profile) {
    out << "a trace of the model's work goes to " << profile->trace().string() << '\n';
  }
}

// What the options are where nobody says anything, by name.
std::map<std::string, record::ParamValue> default_params(const experiment::Plan& plan) {
  OptionList options;
  RunSettings settings;
  const bool is_command = plan.name == "classify" || plan.name == "assess";
  declare_run(options, settings, is_command ? plan.name : kRunName);
  std::map<std::string, record::ParamValue> defaults;
  for (record::Param& param : options.params()) {
    defaults.emplace(std::move(param.name), std::move(param.value));
  }
  return defaults;
}

void describe_options(std::ostream& out, const experiment::PreparedJob& prepared, bool shows_all) {
  const auto defaults = default_params(*prepared.job.settings.plan);
  out << (shows_all ? "options\n" : "options that are not the default (--verbose shows all)\n");
  files::TextTable table;
  table.columns = {{"", files::Align::Left}, {"", files::Align::Left}};
  for (const record::Param& param : prepared.job.request.params) {
    const auto found = defaults.find(param.name);
    if (!shows_all && found != defaults.end() && found->second == param.value) continue;
    table.rows.push_back({param.name, describe(param.value)});
  }
  files::write_terminal(out, table, {.indent = "  ", .empty = "", .has_header = false});
}

void describe_tokens(std::ostream& out, const experiment::PreparedJob& prepared) {
  const experiment::Preparation& preparation = prepared.preparation;
  const experiment::TokenCounts& counts = preparation.token_counts;
  const std::size_t n_prompts = preparation.questions.queries.size();
  const int max_new_tokens = prepared.job.settings.max_new_tokens;
  out << fmt::format(
      "prompts {}, tokens {}, distinct {} (what sharing prefixes leaves to compute)\n"
      "shared prefix {} tokens, longest prompt {} tokens, context {}\n"
      "new tokens at most {} per prompt, {} in all\n"
      "{}\nstop string {}\n\n{}",
      n_prompts, counts.n_prompt_tokens, counts.n_distinct_tokens, counts.n_shared_prefix,
      counts.longest_prompt, prepared.model_info.max_context, max_new_tokens,
      max_new_tokens * static_cast<std::int64_t>(n_prompts),
      experiment::generation_in_force(prepared.model_info, prepared.job.settings, preparation)
          .describe(),
      nlohmann::json(preparation.answers.stop).dump(), preparation.answers.description);
}

void describe_readouts(std::ostream& out, const experiment::PreparedJob& prepared) {
  const experiment::Preparation& preparation = prepared.preparation;
  if (preparation.n_readout_tokens == 0) return;
  out << fmt::format(
      "readouts {}: about {} further tokens per prompt, {:.0f} in all (never more than "
      "--readout-places {} per prompt)\n",
      fmt::join(prepared.job.settings.readouts.names, ", "), preparation.n_readout_tokens,
      static_cast<double>(preparation.n_readout_tokens) * n_prompts_of(preparation),
      prepared.job.settings.readouts.options.max_places);
}

void describe_time(std::ostream& out, const experiment::PreparedJob& prepared) {
  const auto seconds = estimate_seconds(prepared);
  if (!seconds) {
    out << "time: not known, as no run of this model was timed here yet\n";
    return;
  }
  out << fmt::format("time: about {}, at the {:.0f} tokens/s of the last run of this model here\n",
                     describe_duration(*seconds), find_pace(prepared)->tokens_per_second);
}

// What the run would take of this machine, or of a card.
void describe_computing(std::ostream& out,
                        const experiment::PreparedJob& prepared,
                        const model::Profile* profile) {
  const experiment::Preparation& preparation = prepared.preparation;
  const std::int64_t n_new =
      static_cast<std::int64_t>(preparation.prompts.size()) * prepared.job.settings.max_new_tokens;
  describe_memory(out, prepared,
                  static_cast<double>(preparation.token_counts.n_distinct_tokens + n_new), profile);
  if (model::is_card(prepared.job.model.options.device)) {
    const model::Cost cost = cost_of(prepared, kUsualDiskRate, model::n_named_processes());
    out << "\non " << cost.card << ", by `labelprobe plan`\n";
    describe_cost(out, cost);
    out << '\n';
  } else {
    describe_time(out, prepared);
  }
}

// What a server would be asked for. It alone knows its tokens; words and signs are about as many.
void describe_requests(std::ostream& out, const experiment::PreparedJob& prepared) {
  const experiment::Preparation& preparation = prepared.preparation;
  const experiment::ServerLoading& served = *prepared.job.model.served;
  const experiment::TokenCounts beginnings = experiment::count_tokens(preparation.beginnings);
  const std::int64_t n_prompt =
      preparation.token_counts.n_prompt_tokens + beginnings.n_prompt_tokens;
  const std::int64_t n_new =
      static_cast<std::int64_t>(preparation.prompts.size()) * prepared.job.settings.max_new_tokens +
      static_cast<std::int64_t>(preparation.beginnings.size());
  out << fmt::format(
      "requests {} to {}: {} at {}\n"
      "about {} tokens of prompts, at most {} of answers{}\n"
      "at most {} under way at a time, {}\nstop string {}\n",
      preparation.prompts.size() + preparation.beginnings.size(), prepared.model_info.backend,
      prepared.model_info.architecture, served.options.address, n_prompt, n_new,
      served.prices ? fmt::format("; they cost {:.4f} at most",
                                  (static_cast<double>(n_prompt) * served.prices->first +
                                   static_cast<double>(n_new) * served.prices->second) /
                                      1e6)
                    : "",
      served.options.max_concurrent,
      served.options.requests_per_minute > 0
          ? fmt::format("{} in a minute", served.options.requests_per_minute)
          : "as many in a minute as are answered",
      nlohmann::json(preparation.answers.stop).dump());
}

// What each shard has to compute, and how far it is.
void describe_shards(std::ostream& out, const experiment::PreparedJob& prepared) {
  const record::Shard mine = *prepared.job.shard;
  const record::ShardPlan plan = experiment::plan_shards(prepared);
  const std::vector<experiment::ShardShare> shares =
      experiment::shares_of(prepared.preparation, plan.shard_of, mine.n);
  const std::filesystem::path folder = record::shards_folder(plan.request);
  std::vector<record::ShardView> views(shares.size());
  if (record::is_shards_folder(folder)) {
    const record::ShardSet set = record::ShardSet::open(folder);
    record::check_joins(set, plan);
    views = set.shards();
  }
  files::TextTable table;
  table.columns = {{"shard"},    {"items"},       {"tokens"},
                   {"distinct"}, {"items there"}, {"", files::Align::Left}};
  std::int64_t n_distinct = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    n_distinct += shares[i].tokens.n_distinct_tokens;
    table.rows.push_back({fmt::format("{}/{}", i + 1, mine.n), std::to_string(shares[i].n_items),
                          std::to_string(shares[i].tokens.n_prompt_tokens),
                          std::to_string(shares[i].tokens.n_distinct_tokens),
                          std::to_string(views[i].n_items),
                          static_cast<int>(i) + 1 == mine.index ? "this one" : ""});
  }
  out << "\nshards in " << folder.string() << '\n';
  files::write_terminal(out, table, {.indent = "  ", .empty = ""});
  out << fmt::format("distinct tokens of all shards {}, {} in one process\n\n", n_distinct,
                     prepared.preparation.token_counts.n_distinct_tokens);
}

void describe_log(std::ostream& out, const record::RunRequest& request) {
  const record::RunPreview preview = record::preview(request);
  out << fmt::format("log folder {}, experiment_{}", preview.folder.string(),
                     preview.experiment_index);
  if (preview.is_finished) {
    out << ", finished before: there is nothing to run";
  }
  if (preview.n_finished > 0) {
    out << ", going on after " << preview.n_finished << " finished items";
  }
  out << '\n';
  if (!preview.is_finished) {
    out << fmt::format("it would write {}\n", fmt::join(preview.files, ", "));
  }
  for (const std::string& note : preview.notes) {
    out << note << '\n';
  }
}

}  // namespace

void describe_dry_run(std::ostream& out,
                      const experiment::PreparedJob& prepared,
                      const model::Profile* profile,
                      bool shows_all) {
  const experiment::Preparation& preparation = prepared.preparation;
  describe_options(out, prepared, shows_all);
  const auto& queries = preparation.questions.queries;
  out << "\nfirst prompt (" << queries.front().item.id() << ")\n"
      << visible(queries.front().text) << "\n[end of prompt]\n\n";
  if (prepared.job.model.served) {
    describe_requests(out, prepared);
  } else {
    describe_tokens(out, prepared);
    describe_readouts(out, prepared);
  }
  for (const std::string& warning : preparation.warnings) {
    out << "warning: " << warning << '\n';
  }
  if (!prepared.job.model.served) describe_computing(out, prepared, profile);
  if (prepared.job.shard) describe_shards(out, prepared);
  describe_log(out, prepared.job.request);
  out << "nothing was run\n";
}

}  // namespace labelprobe::app
