// A run in the schema of Every Eval Ever (evaleval/every_eval_ever), version 0.3.0: a JSON file
// about the run, and JSON lines of its items. Only runs whose answers list labels: the schema knows
// one answer for an item. The score of an item is its Jaccard score, as the log's metrics define
// it.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

#include "labelprobe/record/logged_run.h"

namespace labelprobe::analysis {

inline constexpr const char* kEvalSchemaVersion = "0.3.0";

// Who answers for the evaluation, which no log tells.
struct EvalSource {
  std::string organization = "unknown";
  std::string relationship = "third_party";  // to the model's maker: one of evaluator_relationships
};
inline constexpr const char* kEvaluatorRelationships[] = {"first_party", "third_party",
                                                          "collaborative", "other"};

// A run ready to be written. Equal runs have equal files.
struct EvalRun {
  const record::LoggedRun* run = nullptr;
  std::string set;       // data set
  std::string model_id;  // "meta-llama/Llama-3.1-8B"
  std::string evaluation_id;
  std::string timestamp;  // seconds since 1970, of the log's last change
  // Relative to the folder of the export: data/SET/MAKER/MODEL/UUID.json and UUID_samples.jsonl.
  std::filesystem::path file;
  std::filesystem::path samples_file;
};

// Throws DataError if the run's answers list no labels, or if its place does not tell the data set.
EvalRun prepare_eval(const record::LoggedRun& run);

void write_eval(std::ostream& out, const EvalRun& eval, const EvalSource& source);
void write_eval_samples(std::ostream& out, const EvalRun& eval);

}  // namespace labelprobe::analysis
