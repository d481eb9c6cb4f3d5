#include "dry_run.h"

#include <algorithm>
#include <iomanip>

#include <nlohmann/json.hpp>

#include "options.h"

namespace labelprobe::app {

namespace {

// A token as a quoted string, so that spaces and line breaks are seen.
std::string shown(const tokenizer::Tokenizer& tokenizer, TokenId id) {
  return nlohmann::json(tokenizer.token_bytes(id))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void describe_labels(std::ostream& out,
                     const experiment::Preparation& preparation,
                     const tokenizer::Tokenizer& tokenizer) {
  const readout::LabelTokens& labels = preparation.label_tokens;
  const bool is_spaced_first = labels.in_context == readout::SpaceVariant::Spaced;
  out << (preparation.questions.are_words ? "answer tokens (prompts end in a space, answers stand "
                                          : "label tokens (in the template labels stand ")
      << (is_spaced_first ? "after a space" : "without a space before them")
      << (labels.variants == readout::LabelVariants::Strict ? "; only that form counts"
                                                            : "; both forms count")
      << ")\n";
  for (std::size_t i = 0; i < labels.names.size(); ++i) {
    out << "  " << std::left << std::setw(18) << labels.names[i];
    for (const readout::SpaceVariant variant :
         {readout::SpaceVariant::Bare, readout::SpaceVariant::Spaced}) {
      const TokenId id = labels.first_tokens[static_cast<std::size_t>(variant)][i];
      out << std::setw(8) << id << std::setw(16) << shown(tokenizer, id);
    }
    out << '\n';
  }
}

double mebibytes(double bytes) {
  return bytes / (1024.0 * 1024.0);
}

}  // namespace

void describe_dry_run(std::ostream& out,
                      const experiment::Settings& settings,
                      const experiment::Preparation& preparation,
                      const tokenizer::Tokenizer& tokenizer,
                      const model::ModelInfo& model,
                      const record::RunRequest& request) {
  out << "options\n";
  for (const record::Param& param : request.params) {
    out << "  " << std::left << std::setw(30) << param.name << describe(param.value) << '\n';
  }
  const auto& queries = preparation.questions.queries;
  out << "\nfirst prompt (" << queries.front().item.id() << ")\n"
      << queries.front().text << "\n[end of prompt]\n\n";

  const experiment::TokenCounts& counts = preparation.token_counts;
  out << "prompts " << queries.size() << ", tokens " << counts.n_prompt_tokens << ", distinct "
      << counts.n_distinct_tokens << " (what sharing prefixes leaves to compute)\n"
      << "shared prefix " << counts.n_shared_prefix << " tokens, longest prompt "
      << counts.longest_prompt << " tokens, context " << model.max_context << "\n"
      << "new tokens at most " << settings.max_new_tokens << " per prompt, "
      << settings.max_new_tokens * static_cast<std::int64_t>(queries.size()) << " in all\n"
      << "stop string " << nlohmann::json(preparation.answer_rule.stop).dump() << "\n\n";
  describe_labels(out, preparation, tokenizer);
  for (const std::string& warning : preparation.warnings) {
    out << "warning: " << warning << '\n';
  }

  const double n_cached =
      static_cast<double>(counts.n_distinct_tokens +
                          static_cast<std::int64_t>(queries.size()) * settings.max_new_tokens);
  out << std::fixed << std::setprecision(0) << "\nmodel " << model.architecture << ", "
      << static_cast<double>(model.n_parameters) / 1e6 << " M parameters\n"
      << "memory: weights " << mebibytes(static_cast<double>(model.weight_bytes)) << " MiB as "
      << model::dtype_name(model.dtype) << ", keys and values at most "
      << mebibytes(n_cached * static_cast<double>(model.cache_bytes_per_token)) << " MiB\n";

  const record::RunPreview preview = record::preview(request);
  out << "log folder " << preview.folder.string() << ", experiment_" << preview.experiment_index;
  if (preview.n_finished > 0) {
    out << ", going on after " << preview.n_finished << " finished items";
  }
  out << "\nnothing was run\n";
}

}  // namespace labelprobe::app
