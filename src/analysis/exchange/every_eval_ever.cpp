#include "labelprobe/analysis/every_eval_ever.h"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "labelprobe/analysis/run_items.h"
#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/record/provenance.h"

namespace labelprobe::analysis {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using record::ItemRecord;

constexpr const char* kScoreId = "jaccard_score";
constexpr const char* kExactId = "exact_match";

std::string dumped(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

// 1 when both are empty, as the log's metrics have it.
double jaccard(const ItemRecord& item) {
  const std::set<std::string> gold(item.gold.begin(), item.gold.end());
  const std::set<std::string> predicted(item.predictions.begin(), item.predictions.end());
  const auto n_both = std::count_if(gold.begin(), gold.end(),
                                    [&](const auto& label) { return predicted.contains(label); });
  const auto n_any = static_cast<std::ptrdiff_t>(gold.size() + predicted.size()) - n_both;
  return n_any == 0 ? 1.0 : static_cast<double>(n_both) / static_cast<double>(n_any);
}

double exact_match(const ItemRecord& item) {
  return jaccard(item) == 1.0 ? 1.0 : 0.0;
}

// The form of a random UUID, made of the text's fingerprint.
std::string uuid_of(const std::string& text) {
  std::string hex = fingerprint(text);
  hex[12] = '4';
  hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) % 4];
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                     hex.substr(16, 4), hex.substr(20));
}

// A name of the Hugging Face cache as it is; of a file or folder its last part.
std::string model_id_of(const std::string& model) {
  const fs::path path(model);
  const bool is_name = std::count(model.begin(), model.end(), '/') == 1 && !path.is_absolute() &&
                       !model.starts_with('.') && path.filename() != ".." &&
                       path.filename() != "." && path.extension() != ".gguf";
  if (is_name) return model;
  const fs::path last = path.filename().empty() ? path.parent_path().filename() : path.filename();
  // The name becomes one of a folder.
  return last.empty() || last == "." || last == ".." ? "unknown" : last.string();
}

std::string seconds_of(const fs::path& file) {
  struct stat status {};
  return std::to_string(::stat(file.c_str(), &status) == 0 ? status.st_mtime : 0);
}

Json result(const EvalRun& eval,
            const char* id,
            const char* title,
            double (*score)(const ItemRecord&)) {
  double sum = 0.0;
  double squares = 0.0;
  int n = 0;
  for (const ItemRecord& item : eval.run->items) {
    if (item.failure) continue;
    sum += score(item);
    squares += score(item) * score(item);
    ++n;
  }
  const double mean = n == 0 ? 0.0 : sum / n;
  Json json = {{"evaluation_result_id", id},
               {"evaluation_name", eval.set},
               {"source_data", {{"dataset_name", eval.set}, {"source_type", "other"}}},
               {"metric_config",
                {{"evaluation_description", title},
                 {"metric_id", id},
                 {"metric_name", id},
                 {"metric_unit", "proportion"},
                 {"lower_is_better", false},
                 {"score_type", "continuous"},
                 {"min_score", 0.0},
                 {"max_score", 1.0}}},
               {"score_details", {{"score", mean}}}};
  if (n > 1) {
    const double variance = std::max(0.0, (squares - n * mean * mean) / (n - 1));
    json["score_details"]["uncertainty"] = {
        {"standard_error", {{"value", std::sqrt(variance / n)}, {"method", "analytic"}}},
        {"num_samples", n}};
  }
  Json params = Json::object();
  for (const auto& [name, value] : eval.run->params) params[name] = value;
  json["generation_config"] = {{"generation_args", {{"temperature", 0.0}}},
                               {"additional_details", params}};
  return json;
}

Json sample(const EvalRun& eval, const ItemRecord& item) {
  Json labels = Json::array();
  Json metadata = Json::object();
  for (const auto& [label, prob] : item.first_probs()) {
    labels.push_back(label);
    metadata["prob " + label] = fmt::format("{}", prob);
  }
  const std::string listed = fmt::format("{}", fmt::join(item.predictions, ", "));
  const Json attribution = {
      {"turn_idx", 0},
      {"source", "output.raw"},
      {"extracted_value", listed},
      {"extraction_method", record::kAnswerSources.name_of(item.answer_source)},
      {"is_terminal", true}};
  const auto n_out = static_cast<std::int64_t>(item.outs_ids.size());
  Json json = {{"schema_version", kEvalSchemaVersion},
               {"evaluation_id", eval.evaluation_id},
               {"model_id", eval.model_id},
               {"evaluation_name", eval.set},
               {"evaluation_result_id", kScoreId},
               {"sample_id", item.key},
               {"interaction_type", "single_turn"},
               {"input", {{"raw", item.query_text}, {"reference", item.gold}, {"choices", labels}}},
               {"output", {{"raw", Json::array({item.outs})}}},
               {"messages", nullptr},
               {"answer_attribution", Json::array({attribution})},
               {"evaluation",
                {{"score", item.failure ? 0.0 : jaccard(item)},
                 {"is_correct", !item.failure && jaccard(item) == 1.0}}}};
  if (item.n_prompt_tokens > 0) {
    json["token_usage"] = {{"input_tokens", item.n_prompt_tokens},
                           {"output_tokens", n_out},
                           {"total_tokens", item.n_prompt_tokens + n_out}};
  }
  json["error"] = item.failure ? Json(*item.failure) : Json();
  json["metadata"] = metadata;
  return json;
}

}  // namespace

EvalRun prepare_eval(const record::LoggedRun& run) {
  if (!item_form_of(run).words.front().empty()) {
    throw DataError(fmt::format(
        "{}: expected answers that list labels (baseline, classify), found those of {}: Every Eval "
        "Ever has one answer for an item",
        describe(run), run.plan));
  }
  EvalRun eval;
  eval.run = &run;
  eval.set = record::task_of(run);
  eval.model_id = model_id_of(run.model);
  if (eval.set.empty()) {
    throw DataError(describe(run) +
                    ": expected the folder LOG_ROOT/SET/..., for the set is no option of the log");
  }
  eval.timestamp = seconds_of(run.folder / "indexed_metrics.yml");
  std::string flat = eval.model_id;
  std::replace(flat.begin(), flat.end(), '/', '_');
  eval.evaluation_id = fmt::format("{}/{}/{}", eval.set, flat, eval.timestamp);
  const bool has_maker = eval.model_id.find('/') != std::string::npos;
  const fs::path folder =
      fs::path("data") / eval.set / (has_maker ? "" : "unknown") / eval.model_id;
  const std::string uuid = uuid_of(eval.evaluation_id + describe(run));
  eval.file = folder / (uuid + ".json");
  eval.samples_file = folder / (uuid + "_samples.jsonl");
  return eval;
}

void write_eval(std::ostream& out, const EvalRun& eval, const EvalSource& source) {
  const std::string version = record::program_version();
  const Json json = {
      {"schema_version", kEvalSchemaVersion},
      {"evaluation_id", eval.evaluation_id},
      {"evaluation_timestamp", eval.timestamp},
      {"retrieved_timestamp", eval.timestamp},
      {"source_metadata",
       {{"source_name", "labelprobe"},
        {"source_type", "evaluation_run"},
        {"source_organization_name", source.organization},
        {"evaluator_relationship", source.relationship}}},
      {"eval_library", {{"name", "labelprobe"}, {"version", version}}},
      {"model_info",
       {{"name", eval.model_id},
        {"id", eval.model_id},
        {"inference_engine", {{"name", "labelprobe"}, {"version", version}}},
        {"additional_details",
         {{"deployment_type", "self_deployed"}, {"model_availability", "open_weights"}}}}},
      {"evaluation_results",
       Json::array(
           {result(eval, kScoreId, "mean Jaccard score of predicted and gold labels", jaccard),
            result(eval, kExactId, "share of items whose predicted labels are the gold ones",
                   exact_match)})},
      {"detailed_evaluation_results",
       {{"format", "jsonl"},
        {"file_path", eval.samples_file.string()},
        {"total_rows", eval.run->items.size()}}}};
  out << dumped(json, 2) << '\n';
}

void write_eval_samples(std::ostream& out, const EvalRun& eval) {
  for (const ItemRecord& item : eval.run->items) out << dumped(sample(eval, item), -1) << '\n';
}

}  // namespace labelprobe::analysis
