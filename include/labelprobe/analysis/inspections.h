// What `labelprobe inspect` has seen, read from its lines: of the many numbers there those that
// people look at.
// Callers: experiment::make_report(), which gives them to a page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace labelprobe::analysis {

// A label step. Additions are to the written label's logit, less the mean over the labels.
//   L  layers   n  labels
struct SeenStep {
  std::vector<std::string> labels;       // [n]
  std::size_t written = 0;               // the label with the largest logit
  std::vector<std::vector<float>> lens;  // [L + 1][n]: probabilities among the labels
  std::vector<std::int64_t> ranks;       // [L + 1]: of the written label's token among all
                                         // tokens; empty where they were not looked at
  std::vector<float> attention_adds;     // [L]
  std::vector<float> mlp_adds;           // [L]
  // A part of the text before the step.
  struct Part {
    std::string name;
    std::size_t n_tokens = 0;
    // Mean over layers and heads of the weights that its tokens get together, and what it adds in
    // all layers; where attention was looked at.
    std::optional<float> attention;
    std::optional<float> adds;
    std::vector<float> without;  // [n]: probabilities among the labels when it is knocked out
  };
  std::vector<Part> parts;
};

struct SeenItem {
  std::string answer;
  std::vector<SeenStep> steps;
};

// By log key; items that failed are left out. Throws DataError (file, line, what was expected) for
// what `labelprobe inspect` does not write.
std::map<std::string, SeenItem> read_inspections(const std::filesystem::path& path);

}  // namespace labelprobe::analysis
